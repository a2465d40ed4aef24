import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { Client, Receipt } from '../../e2e/client.js';
import type { Api } from '../../e2e/processes.js';
import { eventually } from '../../setup/eventually.js';
import type { Storm } from './storm.js';
import { storedWork } from './works.js';

const PATIENCE_MS = 120_000;
const RETRY_MS = 100;
const CREDITS = 1e6;

/** A workflow that each of the users has under an id of their own. */
export type Work = ReadonlyMap<Client, string>;

interface Order {
  user: Client;
  path: string;
  body: object;
  generations: number;
}

/**
 * Clients as they should be: each submission has an `Idempotency-Key` and is repeated, at whatever API
 * there is, until it has an answer. Counts every kind of answer, and finds fault with those that must never be.
 */
export class Load {
  readonly receipts = new Set<string>();
  /** Generations that were accepted. */
  generations = 0;
  private readonly owners = new Map<string, Client>();
  private turn = 0;
  private next = 0;

  private constructor(
    private readonly storm: Storm,
    private readonly apis: () => readonly Api[],
    private readonly users: readonly Client[],
  ) {
    storm.receipts = this.receipts;
  }

  /** `apis` are those that should answer at the moment. */
  static async of(storm: Storm, apis: () => readonly Api[], users = 4): Promise<Load> {
    const [api] = apis();
    if (!api) throw new Error('There is no API to submit to');
    const clients = Array.from({ length: users }, () => storm.town.richClient(api, CREDITS));
    return new Load(storm, apis, await Promise.all(clients));
  }

  /** Stores a workflow of these steps for every user; tries again while the weather is bad. */
  async store(steps: Step[]): Promise<Work> {
    const ids = new Map<Client, string>();
    for (const user of this.users) {
      await eventually(async () => {
        const work = storedWork(`storm ${uuid()}`, steps);
        const { id } = await user.at(this.nextApi() as Api).create<{ id: string }>('/workflows', work);
        ids.set(user, id);
      }, PATIENCE_MS);
    }
    return ids;
  }

  /**
   * Submits for the next user, to `first` to begin with. Resolves with the receipt once there is one; throws
   * after two minutes without.
   */
  submit(work: Work, generations = 1, first?: Api): Promise<Receipt> {
    const user = this.users[this.turn++ % this.users.length] as Client;
    const body = { title: 'Storm', workflow_id: work.get(user), generations };
    return this.insist({ user, path: '/api/collections/generate', body, generations }, first);
  }

  /** As `submit`, of more editions of a collection that was submitted before. */
  submitMore(receipt: Receipt, generations = 1, first?: Api): Promise<Receipt> {
    const path = `/collections/${receipt.collection_id}/generations`;
    return this.insist({ user: this.ownerOf(receipt), path, body: { generations }, generations }, first);
  }

  ownerOf({ collection_id: id }: Receipt): Client {
    const user = this.owners.get(id);
    if (!user) throw new Error(`No client has made the collection ${id}`);
    return user;
  }

  private async insist(order: Order, first?: Api): Promise<Receipt> {
    const headers = { 'idempotency-key': uuid() };
    const deadline = Date.now() + PATIENCE_MS;
    for (let api = first; ; api = undefined) {
      const receipt = await this.attempt(order, headers, api);
      if (receipt) {
        this.receipts.add(receipt.job_id);
        this.owners.set(receipt.collection_id, order.user);
        this.generations += order.generations;
        return receipt;
      }
      if (Date.now() > deadline) throw new Error('A submission got no answer for two minutes');
      await delay(RETRY_MS);
    }
  }

  /** Reads something at the next API; whether it was answered. 503 is none, and no fault. */
  async read(path: string): Promise<boolean> {
    const api = this.nextApi();
    const [user] = this.users;
    if (!api || !user) return false;
    const answer = await user.at(api).request('GET', path).catch(() => null);
    if (!answer || answer.status === 200) return answer !== null;
    this.judge(answer.status, answer.headers, `GET ${path}: ${answer.text}`);
    return false;
  }

  private async attempt(
    { user, path, body }: Order,
    headers: Record<string, string>,
    first?: Api,
  ): Promise<Receipt | null> {
    const api = first ?? this.nextApi();
    if (!api) return null;
    const answer = await user.at(api).request<Receipt>('POST', path, { body, headers }).catch(() => null);
    if (!answer) {
      this.storm.did('submissions cut off');
      return null;
    }
    if (answer.status === 201) {
      this.storm.did('submissions accepted');
      return answer.body.data;
    }
    this.judge(answer.status, answer.headers, answer.text);
    return null;
  }

  private nextApi(): Api | undefined {
    const apis = this.apis();
    return apis[this.next++ % apis.length];
  }

  /** 503 says when to come back, and a twin may still be running; all else is wrong for a sound request. */
  private judge(status: number, headers: Headers, text: string): void {
    this.storm.did(`answers ${status}`);
    if (status === 503 && headers.get('retry-after') === null) this.storm.fault('503 without Retry-After');
    if (status !== 503 && status !== 409) this.storm.fault(`A request was answered ${status}: ${text.slice(0, 300)}`);
  }
}
