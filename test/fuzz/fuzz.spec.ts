import { startBuiltApi, type BuiltApi } from '../api/built-api.js';
import { Contract } from '../api/contract.js';
import { serveDrafts } from './drafts.js';
import { fuzz, FUZZED_API, routeClasses } from './fuzz.js';

/** A hundredth of what `npm run chaos -- fuzz` sends. A failure prints the seed that repeats it. */
const REQUESTS = 100;
const seed = Math.floor(Math.random() * 2 ** 30);

let api: BuiltApi;
let contract: Contract;
let stopDrafts: () => Promise<void>;

beforeAll(async () => {
  api = await startBuiltApi(FUZZED_API);
  contract = await Contract.of(api.url);
  stopDrafts = await serveDrafts(api.databaseUrl);
}, 120_000);
afterAll(async () => {
  await stopDrafts?.();
  await api?.close();
});

it('any request is answered as documented, and by no failure of ours', async () => {
  const told: Record<string, string[]> = {};
  let succeeded = 0;
  for (const [routeClass, routes] of routeClasses()) {
    const asked = { routeClass, routes, requests: REQUESTS, seed };
    const { failures, requests, outcomes } = await fuzz(api, contract, asked);
    told[routeClass] = failures;
    expect(requests).toBeGreaterThan(0);
    succeeded += [...outcomes].filter(([outcome]) => /^20\d$/.test(outcome)).length;
  }
  expect(told).toEqual(Object.fromEntries(Object.keys(told).map((name) => [name, []])));
  // Where all is refused, nothing is tried.
  expect(succeeded).toBeGreaterThan(10);
}, 120_000);
