import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { Ledger, type Movement } from './ledger.js';
import { reconcile } from './reconcile.js';

describe('the ledger', () => {
  let test: TestDatabase;
  const ledger = new Ledger();

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  const grant = (userId: string, amount: bigint, key = `grant:${randomUUID()}`) =>
    test.database.transaction((tx) => ledger.grant(tx, userId, { amount, key }));
  const append = (userId: string, movements: Movement[]) =>
    test.database.transaction((tx) => ledger.append(tx, userId, movements));
  const accountOf = async (userId: string) => {
    const [row] = await test.database.query<{ balance: string; held: string }>(
      'select balance, held from account where user_id = $1', [userId],
    );
    return { balance: BigInt(row!.balance), held: BigInt(row!.held) };
  };
  const holdOne = (userId: string, price: bigint) =>
    test.database.transaction((tx) =>
      ledger.hold(tx, {
        userId, jobId: randomUUID(), generations: [{ id: randomUUID(), run: 1, price }], maxOpen: 10_000, breakdown: {},
      }),
    );

  it('lets one of fifty buyers through when there is credit for one', async () => {
    const userId = randomUUID();
    await grant(userId, 1_000_000n);
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => holdOne(userId, 1_000_000n)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(new Set(refused)).toEqual(new Set(['INSUFFICIENT_CREDITS']));
    expect(await accountOf(userId)).toEqual({ balance: 1_000_000n, held: 1_000_000n });
  });

  it('grants once per key', async () => {
    const userId = randomUUID();
    await Promise.all(Array.from({ length: 5 }, () => grant(userId, 7n, 'grant:same')));
    expect(await accountOf(userId)).toEqual({ balance: 7n, held: 0n });
  });

  it('resolves a reservation once: captured or released, never both', async () => {
    const userId = randomUUID();
    await grant(userId, 10n);
    const key = `generation:${randomUUID()}:1`;
    await append(userId, [
      { type: 'hold', amount: 4n, key: `${key}:hold` },
      { type: 'hold', amount: 4n, key: 'another:1:hold' },
    ]);
    await append(userId, [{ type: 'capture', amount: 4n, key: `${key}:capture` }]);
    await expect(append(userId, [{ type: 'release', amount: 4n, key: `${key}:release` }])).rejects.toThrow(/unique/);
    expect(await accountOf(userId)).toEqual({ balance: 6n, held: 4n });
  });

  it('stores balance and held after each entry', async () => {
    const userId = randomUUID();
    await grant(userId, 10n);
    const [a, b] = [randomUUID(), randomUUID()];
    await append(userId, [
      { type: 'hold', amount: 2n, key: `${a}:hold` },
      { type: 'hold', amount: 3n, key: `${b}:hold` },
      { type: 'capture', amount: 2n, key: `${a}:capture` },
    ]);
    const rows = await test.database.query(
      'select type, balance_after, held_after from credit_entry where user_id = $1 order by id', [userId],
    );
    expect(rows).toEqual([
      { type: 'grant', balance_after: '10', held_after: '0' },
      { type: 'hold', balance_after: '10', held_after: '2' },
      { type: 'hold', balance_after: '10', held_after: '5' },
      { type: 'capture', balance_after: '8', held_after: '3' },
    ]);
  });

  it('keeps its sums whatever the sequence of movements', async () => {
    const amount = fc.bigInt({ min: 0n, max: 20n });
    const type = fc.constantFrom('grant', 'hold', 'capture', 'release', 'refund', 'adjust') as fc.Arbitrary<Movement['type']>;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(type, amount), { maxLength: 30 }), async (commands) => {
        const userId = randomUUID();
        await ledger.open(test.database, userId);
        let [balance, held] = [0n, 0n];
        for (const [kind, value] of commands) {
          const next = apply(kind, value, balance, held);
          const possible = next.held >= 0n && next.balance - next.held >= 0n;
          const done = await append(userId, [{ type: kind, amount: value, key: randomUUID() }]).catch(() => false);
          expect(done).toBe(possible);
          if (possible) ({ balance, held } = next);
        }
        expect(await accountOf(userId)).toEqual({ balance, held });
      }),
      { numRuns: 60 },
    );
    const { drift } = await reconcile(test.database);
    expect(drift.filter(({ rule }) => rule === 'balance' || rule === 'held' || rule === 'running_sum')).toEqual([]);
  });

  it('finds an account that does not match its entries', async () => {
    const userId = randomUUID();
    await grant(userId, 10n);
    await test.database.query('update account set balance = 11 where user_id = $1', [userId]);
    const { drift } = await reconcile(test.database);
    expect(drift.filter((fault) => fault.user_id === userId)).toEqual([
      { user_id: userId, rule: 'balance', expected: 0.00001, actual: 0.000011 },
    ]);
  });
});

/** The model: what each movement means. */
function apply(type: Movement['type'], amount: bigint, balance: bigint, held: bigint) {
  if (type === 'hold') return { balance, held: held + amount };
  if (type === 'release') return { balance, held: held - amount };
  if (type === 'capture') return { balance: balance - amount, held: held - amount };
  return { balance: balance + amount, held };
}
