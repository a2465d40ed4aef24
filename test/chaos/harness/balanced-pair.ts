import { v7 as uuid } from 'uuid';
import type { Client, Receipt } from '../../e2e/client.js';
import type { Api } from '../../e2e/processes.js';
import type { Storm } from './storm.js';

/**
 * Two APIs behind the plainest of balancers: by turns, and where nobody listens, at the other one. It
 * forgives nothing else: a submission that is cut off, or answered anything but 201, is a fault.
 */
export class BalancedPair {
  private turn = 0;

  constructor(
    private readonly storm: Storm,
    /** Replaced in place when one of them is started anew. */
    readonly apis: Api[],
  ) {}

  async submit(user: Client, workflowId: string, generations = 1): Promise<Receipt | null> {
    const body = { title: 'Storm', workflow_id: workflowId, generations };
    const headers = { 'idempotency-key': uuid() };
    const first = this.turn++;
    for (let attempt = 0; attempt < this.apis.length; attempt++) {
      const api = this.apis[(first + attempt) % this.apis.length] as Api;
      const sent = user.at(api).request<Receipt>('POST', '/api/collections/generate', { body, headers });
      const answer = await sent.catch((error: unknown) => this.refusal(error));
      if (answer === 'refused') continue;
      if (answer?.status === 201) {
        this.storm.did('submissions accepted');
        return answer.body.data;
      }
      if (answer) this.storm.fault(`A submission was answered ${answer.status}: ${answer.text.slice(0, 200)}`);
      return null;
    }
    this.storm.fault('A submission found no API');
    return null;
  }

  private refusal(error: unknown): 'refused' | null {
    const { code = String(error) } = ((error as Error).cause ?? {}) as { code?: string };
    if (code === 'ECONNREFUSED') {
      this.storm.did('connections refused');
      return 'refused';
    }
    this.storm.fault(`A submission was cut off: ${code}`);
    return null;
  }
}
