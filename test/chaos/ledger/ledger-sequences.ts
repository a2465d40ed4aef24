import { deepStrictEqual } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { baseKey, generationKey, Ledger, type Hold } from '#libs/credits/ledger.js';
import { type Database, type Transaction, sqlState } from '#libs/database/database.js';
import {
  GENERATIONS, JOBS, operationOf, remember, sequence, type Command, type Reservation,
} from './ledger-commands.js';
import { LedgerModel, type Operation, type Outcome } from './ledger-model.js';

/** SQLSTATEs of a unique key and of a check constraint. */
const REFUSED_BY_THE_SCHEMA = new Set(['23505', '23514']);

/** How often each call came out in each way. */
export type Tally = Record<`${Operation['call']}: ${Outcome}`, number>;

/**
 * Runs random sequences of commands on the ledger and on the model of it; after every step both must say
 * the same. What was asked for at the same time must come out as in one of the possible orders. Throws
 * with the shortest sequence that differs, its seed and its path.
 */
export async function runLedgerSequences(
  database: Database,
  runs: number,
  seed: number,
): Promise<Partial<Tally>> {
  const tally: Partial<Tally> = {};
  const property = fc.asyncProperty(sequence, async ({ prices, steps }) => {
    const run = await SequenceRun.start(database, prices, tally);
    for (const step of steps) await run.take(step);
  });
  await fc.assert(property, { numRuns: runs, seed });
  return tally;
}

/** One sequence, on an account of its own. */
class SequenceRun {
  private readonly ledger = new Ledger();
  private model = new LedgerModel();

  private constructor(
    private readonly database: Database,
    private readonly user: string,
    private readonly jobs: Reservation[][],
    private readonly jobIds: string[],
    private readonly tally: Partial<Tally>,
  ) {}

  static async start(database: Database, prices: bigint[], tally: Partial<Tally>): Promise<SequenceRun> {
    const user = randomUUID();
    const jobIds = Array.from({ length: JOBS }, () => randomUUID());
    const jobs = jobIds.map((id, job) => reservationsOf(id, prices.slice(job * (GENERATIONS + 1))));
    await new Ledger().open(database, user);
    return new SequenceRun(database, user, jobs, jobIds, tally);
  }

  async take(commands: Command[]): Promise<void> {
    const operations = commands.flatMap((command) => operationOf(command, this.jobs, this.user) ?? []);
    const outcomes = await Promise.all(operations.map((operation) => this.perform(operation)));
    const [account] = await this.database.query<Account>(ACCOUNT, [this.user]);
    this.follow(operations, outcomes, account!);
    operations.forEach((operation, index) => {
      const outcome = outcomes[index]!;
      const name = `${operation.call}: ${outcome}` as const;
      this.tally[name] = (this.tally[name] ?? 0) + 1;
      if (outcome === 'done') remember(this.jobs, operation);
    });
  }

  private async perform(operation: Operation): Promise<Outcome> {
    try {
      return await this.database.transaction((tx) => this.call(tx, operation));
    } catch (error) {
      if (REFUSED_BY_THE_SCHEMA.has(sqlState(error) ?? '')) return 'rejected';
      const { code } = error as { code?: Outcome };
      if (code === 'INSUFFICIENT_CREDITS' || code === 'TOO_MANY_INFLIGHT') return code;
      throw error;
    }
  }

  private async call(tx: Transaction, operation: Operation): Promise<Outcome> {
    const { call, movements, opens } = operation;
    if (call === 'grant') await this.ledger.grant(tx, this.user, movements[0]!);
    else if (call === 'hold') await this.ledger.hold(tx, this.holdOf(operation));
    else if (!(await this.ledger.append(tx, this.user, movements, { opens }))) return 'INSUFFICIENT_CREDITS';
    return 'done';
  }

  private holdOf({ movements, maxOpen }: Operation): Hold {
    const holds = movements.map(({ amount, key }) => {
      const [, id, run] = key.split(':') as [string, string, string];
      return { id, run: Number(run), price: amount, isBase: key.startsWith('job:') };
    });
    const base = holds.find(({ isBase }) => isBase);
    return {
      userId: this.user,
      jobId: base?.id ?? this.jobIds[0]!,
      generations: holds.filter(({ isBase }) => !isBase),
      ...(base && { base }),
      maxOpen: maxOpen!,
      breakdown: {},
    };
  }

  /** Some order of the operations leads the model to the same outcomes and the same account. */
  private follow(operations: Operation[], outcomes: Outcome[], account: Account): void {
    const alone = operations.length === 1;
    const ways = permutations(operations.map((_, index) => index)).map((order) => {
      const model = this.model.copy();
      const said: Outcome[] = [];
      for (const at of order) said[at] = model.apply(operations[at]!);
      return { model, outcomes: alone ? said : said.map(whichever), account: accountOf(model) };
    });
    const actual = { outcomes: alone ? outcomes : outcomes.map(whichever), account };
    const isIt = ({ model: _model, ...expected }: (typeof ways)[number]) => isDeepStrictEqual(expected, actual);
    const { model, ...expected } = ways.find(isIt) ?? ways[0]!;
    deepStrictEqual(actual, expected, inspect({ operations, actual, oneWay: expected }, { depth: 5 }));
    this.model = model;
  }
}

/** Which refusal it was may depend on what another one commits a moment later. */
const whichever = (outcome: Outcome) => (outcome === 'TOO_MANY_INFLIGHT' ? 'INSUFFICIENT_CREDITS' : outcome);

/** What the account says, what its entries sum up to, and what its last entry says. */
interface Account {
  account: string;
  summed: string;
  last: string | null;
  entries: number;
  /** Keys that stand for two entries. */
  twice: number;
}

function accountOf({ balance, held, open, entries }: LedgerModel): Account {
  const sums = `${balance},${held}`;
  return { account: `${sums},${open}`, summed: sums, last: entries > 0 ? sums : null, entries, twice: 0 };
}

/** The base cost first, then the generations, as the ledger holds them. */
function reservationsOf(jobId: string, prices: bigint[]): Reservation[] {
  return Array.from({ length: GENERATIONS + 1 }, (_, index): Reservation => {
    const id = index === 0 ? null : randomUUID();
    const key = (run: number) => (id ? generationKey({ id, run }) : baseKey(jobId, run));
    return { generationId: id, price: prices[index]!, run: 0, state: 'none', key };
  });
}

function permutations(items: number[]): number[][] {
  if (items.length <= 1) return [items];
  const without = (item: number) => permutations(items.filter((other) => other !== item));
  return items.flatMap((item) => without(item).map((rest) => [item, ...rest]));
}

const ACCOUNT = `
  with entry as (select * from credit_entry where user_id = $1)
  select a.balance || ',' || a.held || ',' || a.open_generations as account,
         (select coalesce(sum(amount) filter (where type in ('grant', 'refund', 'adjust')), 0)
               - coalesce(sum(amount) filter (where type = 'capture'), 0) || ','
               || coalesce(sum(amount) filter (where type = 'hold'), 0)
               - coalesce(sum(amount) filter (where type in ('capture', 'release')), 0) from entry) as summed,
         (select balance_after || ',' || held_after from entry order by id desc limit 1) as last,
         (select count(*)::int from entry) as entries,
         (select (count(*) - count(distinct key))::int from entry) as twice
    from account a where a.user_id = $1`;
