import { submitJob, type SubmittedJob } from '../../test/factories/job.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { reconcile } from './reconcile.js';

/** What somebody may have written by hand, or a bug: in which rules it shows, and what these expect and find. */
const FAULTS: Array<[name: string, sql: string, shows: Record<string, [expected: number, actual: number]>]> = [
  ['a balance', 'update account set balance = balance + 1000000 where user_id = $1', { balance: [7, 8] }],
  ['a sum held', 'update account set held = held - 1000000 where user_id = $1', { held: [7, 6], open_price: [7, 6] }],
  ['the price of what is open', 'update generation set price = 3000000 where user_id = $1', { open_price: [10, 7] }],
  ['a base cost', "update job set base_status = 'captured' where user_id = $1", { open_price: [6, 7] }],
  ['how many are open', 'update account set open_generations = 9 where user_id = $1', { open_generations: [3, 9] }],
  [
    'the balance after an entry',
    `update credit_entry set balance_after = 5000000 where type = 'grant' and user_id = $1`,
    { running_sum: [7, 5] },
  ],
];

describe('the check of the books', () => {
  let test: TestDatabase;
  let job: SubmittedJob;
  const submit = () => submitJob(test.database, {
    steps: [{ id: 1, nodeName: 'echo', nodePayload: {} }], generations: 3, price: 2, basePrice: 1,
  });

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    job = await submit();
  });
  afterEach(() => test.database.query('truncate account, job cascade'));

  it('finds right what is right', async () => {
    await submit();
    expect(await reconcile(test.database)).toEqual({ accounts: 2, entries: 10, drift: [] });
  });

  it.each(FAULTS)('finds wrong: %s', async (_name, sql, shows) => {
    await submit();
    await test.database.query(sql, [job.userId]);
    const { drift } = await reconcile(test.database);
    expect(new Set(drift.map(({ user_id }) => user_id))).toEqual(new Set([job.userId]));
    expect(Object.fromEntries(drift.map(({ rule, expected, actual }) => [rule, [expected, actual]]))).toEqual(shows);
  });
});
