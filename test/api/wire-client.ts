import type { TestApi } from '../setup/api.js';
import { asUser } from './callers.js';
import type { Call } from './calls.js';
import { Contract } from './contract.js';
import { methodOf, pathOf } from './routes.js';
import { expectWire, type WireName } from './wire.js';

type Request = Pick<Call, 'body' | 'headers'> & {
  /** Parameters of the path. */
  at?: Record<string, string>;
  query?: string;
};
type Item = Record<string, unknown>;

/** A user whose every answer must be as documented. */
export class WireClient {
  private constructor(
    private readonly api: TestApi,
    readonly contract: Contract,
    readonly userId: string,
  ) {}

  static async of(api: TestApi, userId: string): Promise<WireClient> {
    return new WireClient(api, await Contract.of(api.url), userId);
  }

  /** Another user of the same. */
  as(userId: string): WireClient {
    return new WireClient(this.api, this.contract, userId);
  }

  /** `data` of the answer. */
  async ask<Data>(route: string, { at, query = '', ...request }: Request = {}): Promise<Data> {
    const path = `${pathOf(route, at)}${query}`;
    const answer = await asUser(this.api, this.userId, path, { method: methodOf(route), ...request });
    expect({ route, faults: this.contract.faultsOf(route, answer) }).toEqual({ route, faults: [] });
    return answer.json?.data as Data;
  }

  /** Items of the list, of which there must be some. */
  async list(name: WireName, route: string, at?: Record<string, string>): Promise<Item[]> {
    const page = await this.ask<{ items: Item[] }>(route, { at, query: '?limit=100' });
    expectWire('List', page);
    expect(page.items.length).toBeGreaterThan(0);
    for (const item of page.items) expectWire(name, item);
    return page.items;
  }
}
