import type { IncomingHttpHeaders } from 'node:http';
import type { Database } from '#libs/database/database.js';
import type { Provider, ProviderWebhook } from '#libs/providers/provider.js';
import type { WebhookInbox } from './webhook-inbox.js';

/** What Replicate reports, to the steps that wait for it. */
export class ReplicateReports {
  constructor(
    private readonly replicate: Pick<Provider, 'readWebhook'>,
    private readonly database: Database,
    private readonly inbox: WebhookInbox,
  ) {}

  /** Throws `ProviderError`: it is not signed as it must be, or is no prediction. */
  read(headers: IncomingHttpHeaders, rawBody: Buffer): ProviderWebhook {
    return this.replicate.readWebhook(headers, rawBody);
  }

  /**
   * Has the prediction's step ask after it. Taken again, or when its step has ended, it changes nothing. False: no
   * step ever had this prediction. `token`: the attempt that the prediction was begun for.
   */
  async take({ id, prediction }: ProviderWebhook, token: string | undefined): Promise<boolean> {
    const [step] = await this.database.query<{ token: string }>(STEP, [prediction.id, token ?? null]);
    if (!step) return false;
    const body = { prediction: prediction.id, state: prediction.state };
    await this.inbox.deliver({ provider: 'replicate', id, token: step.token, body });
    return true;
  }
}

/** By its prediction; by its token while it has none. */
const STEP = `
  select token from step_run where prediction = $1
  union all
  select token from step_run where token = $2::uuid and prediction is null
  limit 1`;
