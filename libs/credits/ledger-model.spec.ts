import { randomInt } from 'node:crypto';
import { runLedgerSequences } from '../../test/chaos/ledger/ledger-sequences.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { reconcile } from './reconcile.js';

/** `npm run chaos -- ledger` runs 5,000. */
const SEQUENCES = 150;
const TIMEOUT_MS = 120_000;

describe('the ledger against a model of it', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  it('does, refuses and sums up what the model does, also when several ask at once', async () => {
    const tally = await runLedgerSequences(test.database, SEQUENCES, randomInt(2 ** 31));
    // What was never tried has not been shown.
    expect(Object.keys(tally)).toHaveLength(8);
    const { drift } = await reconcile(test.database);
    expect(drift.filter(({ rule }) => ['balance', 'held', 'running_sum'].includes(rule))).toEqual([]);
  }, TIMEOUT_MS);
});
