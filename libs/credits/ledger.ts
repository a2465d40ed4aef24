import type { Queryable, Transaction } from '#libs/database/database.js';
import { prepared } from '#libs/database/prepared.js';
import { insufficientCredits, limitExceeded, tooManyInflight } from '#libs/errors/errors.js';
import { signals } from '#libs/tracepoints/signals.js';
import { toCredits, type MicroCredits } from './micro-credits.js';
import { readMonthlyUsage } from './usage.js';

export type EntryType = 'grant' | 'hold' | 'capture' | 'release' | 'refund' | 'adjust';

/** One movement of credits. `key` is unique in the ledger: doing it twice fails instead of counting twice. */
export interface Movement {
  type: EntryType;
  /** Positive; only `adjust` is signed. */
  amount: MicroCredits;
  key: string;
  jobId?: string;
  generationId?: string;
  description?: string;
}

/** A generation's price, set aside for one run of it. */
export interface GenerationPrice {
  id: string;
  run: number;
  price: MicroCredits;
}

export interface Hold {
  userId: string;
  jobId: string;
  generations: GenerationPrice[];
  /** The workflow's base cost, reserved once per job and run. */
  base?: { run: number; price: MicroCredits };
  /** The plan's `maxOpenGenerations`, or `maxInFlight` for those in flight. */
  maxOpen: number;
  inFlight?: boolean;
  /** Of those that count against a plan's month. */
  quota?: { plan: string; limit: number };
  /** `cost_breakdown` of the 402 answer. */
  breakdown: unknown;
}

/** What a movement does to an account: `balance` is what it owns, `held` is what of it is set aside. */
const EFFECT: Record<EntryType, { balance: bigint; held: bigint }> = {
  grant: { balance: 1n, held: 0n },
  refund: { balance: 1n, held: 0n },
  adjust: { balance: 1n, held: 0n },
  hold: { balance: 0n, held: 1n },
  release: { balance: 0n, held: -1n },
  capture: { balance: -1n, held: -1n },
};

export const generationKey = ({ id, run }: { id: string; run: number }) => `generation:${id}:${run}`;
export const baseKey = (jobId: string, run: number) => `job:${jobId}:${run}:base`;

/**
 * The append-only ledger. The account row is the running sum of its entries and is locked while it
 * changes; it comes last in the order of locks (collection, job, generation, account). Always true:
 * balance = Σ(grant − capture + refund ± adjust), held = Σ(hold − capture − release), balance ≥ held ≥ 0.
 */
export class Ledger {
  /** Makes the account of a user who is seen for the first time. */
  async open(db: Queryable, userId: string): Promise<void> {
    await db.query('insert into account (user_id) values ($1) on conflict do nothing', [userId]);
  }

  /** Gives credits; the account is made when there is none. Once per key: a repeat changes nothing. */
  async grant(tx: Transaction, userId: string, movement: Omit<Movement, 'type'>): Promise<void> {
    await this.open(tx, userId);
    await tx.query('select from account where user_id = $1 for update', [userId]);
    const [known] = await tx.query('select from credit_entry where key = $1', [movement.key]);
    if (!known) await this.append(tx, userId, [{ ...movement, type: 'grant' }]);
  }

  /**
   * Sets a submission's whole price aside, one reservation per generation. Throws
   * `INSUFFICIENT_CREDITS` or `TOO_MANY_INFLIGHT`, decided by the guarded update itself.
   */
  async hold(tx: Transaction, hold: Hold): Promise<void> {
    const { userId, generations } = hold;
    const movements = holdMovements(hold);
    const done = await this.append(tx, userId, movements, { opens: generations.length, maxOpen: hold.maxOpen });
    if (!done) throw await this.refusal(tx, hold);
  }

  /**
   * Writes movements and their sum onto the account in one statement. `opens` generations join (or, below
   * zero, leave) the account's open ones, `flies` those in flight. False: the account cannot cover it, and nothing
   * was written.
   */
  async append(
    tx: Transaction,
    userId: string,
    movements: Movement[],
    { opens = 0, flies = 0, maxOpen = null }: { opens?: number; flies?: number; maxOpen?: number | null } = {},
  ): Promise<boolean> {
    const [row] = await tx.query<{ changed: boolean }>(APPEND, [userId, movementRows(movements), opens, maxOpen, flies]);
    if (row?.changed) tx.afterCommit(() => signals.moved.send(movements));
    return row?.changed === true;
  }

  /** Why an account did not cover a hold. If it would by now, another one has ended since. */
  async refusal(db: Queryable, hold: Hold): Promise<Error> {
    return (await this.obstacle(db, hold)) ?? tooManyInflight(hold.maxOpen);
  }

  /** Why an account would not cover a hold right now; null: it would. Nothing is decided by it. */
  async obstacle(db: Queryable, hold: Hold): Promise<Error | null> {
    const { userId, generations, maxOpen, inFlight = false } = hold;
    const [account] = await db.query<{ available: string; open: number; in_flight: number }>(
      'select balance - held as available, open_generations as open, in_flight from account where user_id = $1',
      [userId],
    );
    const count = (inFlight ? account?.in_flight : account?.open) ?? 0;
    if (count + generations.length > maxOpen) return tooManyInflight(maxOpen);
    const overQuota = await this.quotaFault(db, hold);
    if (overQuota) return overQuota;
    const required = holdMovements(hold).reduce((total, { amount }) => total + amount, 0n);
    const available = BigInt(account?.available ?? 0);
    if (available >= required) return null;
    return insufficientCredits({
      required: toCredits(required), available: toCredits(available), cost_breakdown: hold.breakdown,
    });
  }

  private async quotaFault(db: Queryable, { userId, quota, generations }: Hold): Promise<Error | null> {
    if (!quota) return null;
    const { used, resetsAt } = await readMonthlyUsage(db, userId);
    if (used + generations.length <= quota.limit) return null;
    return limitExceeded({ ...quota, used, resets_at: resetsAt.toISOString() });
  }
}

/** One reservation per generation, after the job's base cost. */
export function holdMovements({ jobId, generations, base }: Hold): Movement[] {
  const movements: Movement[] = generations.map((generation) => ({
    type: 'hold',
    amount: generation.price,
    key: `${generationKey(generation)}:hold`,
    jobId,
    generationId: generation.id,
  }));
  if (!base) return movements;
  return [{ type: 'hold', amount: base.price, key: `${baseKey(jobId, base.run)}:hold`, jobId }, ...movements];
}

/**
 * CTEs that write the rows of a CTE `movement` (`movementsSql` gives its columns) and their sum onto one
 * account. `changed` is empty when the account cannot cover them: whatever else a statement writes is to
 * depend on it. All parameters are SQL.
 */
export const appendCtes = ({ user, opens, flies = '0', and = 'true', set = '', from = '' }: AppendSql): string => `
  total as (
    select coalesce(sum(balance), 0)::bigint as balance, coalesce(sum(held), 0)::bigint as held from movement
  ), changed as (
    update account
       set balance = account.balance + total.balance, held = account.held + total.held,
           open_generations = account.open_generations + ${opens}, in_flight = account.in_flight + ${flies}${set}
      from total${from}
     where account.user_id = ${user} and ${and}
       and account.balance + total.balance - (account.held + total.held) >= 0
    returning account.*
  ), entry as (
    insert into credit_entry (user_id, type, amount, balance_after, held_after, key, job_id, generation_id, description)
    select changed.user_id, m.type, m.amount,
           changed.balance - sum(m.balance) over () + sum(m.balance) over (order by m.position),
           changed.held - sum(m.held) over () + sum(m.held) over (order by m.position),
           m.key, m.job_id, m.generation_id, m.description
      from changed cross join movement m
     order by m.position
  )`;

interface AppendSql {
  user: string;
  /** How many generations join the account's open ones. */
  opens: string;
  /** How many join those in flight. */
  flies?: string;
  /** One more condition. */
  and?: string;
  /** More columns to set, after a comma. */
  set?: string;
  /** More tables, after a comma. */
  from?: string;
}

/** Movements as JSON, from `movementRows`, for a CTE `movement`. */
export const movementsSql = (parameter: string): string => `
  select m.* from rows from (jsonb_to_recordset(${parameter}::jsonb) as (type text, amount bigint, balance bigint,
         held bigint, key text, job_id uuid, generation_id uuid, description text)) with ordinality
      as m (type, amount, balance, held, key, job_id, generation_id, description, position)`;

/** The parameter of `movementsSql`. */
export const movementRows = (movements: Movement[]): string =>
  JSON.stringify(
    movements.map(({ type, amount, key, jobId, generationId, description }) => ({
      type,
      amount: amount.toString(),
      balance: (EFFECT[type].balance * amount).toString(),
      held: (EFFECT[type].held * amount).toString(),
      key,
      job_id: jobId,
      generation_id: generationId,
      description,
    })),
  );

const APPEND = prepared('ledger_append', `
  with movement as (${movementsSql('$2')}), ${appendCtes({
    user: '$1',
    opens: '$3::integer',
    flies: '$5::integer',
    and: '($4::integer is null or account.open_generations + $3::integer <= $4::integer)',
  })}
  select exists (select from changed) as changed`);
