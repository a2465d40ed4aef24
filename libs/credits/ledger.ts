import type { Queryable, Transaction } from '#libs/database/database.js';
import { insufficientCredits, tooManyInflight } from '#libs/errors/errors.js';
import { toCredits, type MicroCredits } from './micro-credits.js';

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
  /** The plan's `maxOpenGenerations`. */
  maxOpen: number;
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
    const { userId, jobId, generations, base } = hold;
    const movements: Movement[] = generations.map((generation) => ({
      type: 'hold',
      amount: generation.price,
      key: `${generationKey(generation)}:hold`,
      jobId,
      generationId: generation.id,
    }));
    if (base) {
      movements.unshift({ type: 'hold', amount: base.price, key: `${baseKey(jobId, base.run)}:hold`, jobId });
    }
    const done = await this.append(tx, userId, movements, { opens: generations.length, maxOpen: hold.maxOpen });
    if (!done) throw await this.refusal(tx, hold, movements);
  }

  /**
   * Writes movements and their sum onto the account in one statement. `opens` generations join (or, below
   * zero, leave) the account's open ones. False: the account cannot cover it, and nothing was written.
   */
  async append(
    tx: Transaction,
    userId: string,
    movements: Movement[],
    { opens = 0, maxOpen = null }: { opens?: number; maxOpen?: number | null } = {},
  ): Promise<boolean> {
    const balance = movements.map(({ type, amount }) => EFFECT[type].balance * amount);
    const held = movements.map(({ type, amount }) => EFFECT[type].held * amount);
    const [row] = await tx.query<{ changed: boolean }>(APPEND, [
      userId,
      sum(balance).toString(),
      sum(held).toString(),
      opens,
      maxOpen,
      movements.map(({ type }) => type),
      movements.map(({ amount }) => amount.toString()),
      balance.map(String),
      held.map(String),
      movements.map(({ key }) => key),
      movements.map(({ jobId }) => jobId ?? null),
      movements.map(({ generationId }) => generationId ?? null),
      movements.map(({ description }) => description ?? null),
    ]);
    return row?.changed === true;
  }

  private async refusal(tx: Transaction, hold: Hold, movements: Movement[]): Promise<Error> {
    const [account] = await tx.query<{ available: string; open: number }>(
      'select balance - held as available, open_generations as open from account where user_id = $1',
      [hold.userId],
    );
    if (account && account.open + hold.generations.length > hold.maxOpen) return tooManyInflight(hold.maxOpen);
    return insufficientCredits({
      required: toCredits(sum(movements.map(({ amount }) => amount))),
      available: toCredits(account?.available ?? '0'),
      cost_breakdown: hold.breakdown,
    });
  }
}

const sum = (amounts: bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

const APPEND = `
  with changed as (
    update account
       set balance = balance + $2, held = held + $3, open_generations = open_generations + $4
     where user_id = $1
       and balance + $2 - (held + $3) >= 0
       and ($5::integer is null or open_generations + $4 <= $5)
    returning balance, held
  ), movement as (
    select * from unnest($6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::uuid[], $12::uuid[], $13::text[])
      with ordinality as m (type, amount, balance, held, key, job_id, generation_id, description, position)
  ), entry as (
    insert into credit_entry (user_id, type, amount, balance_after, held_after, key, job_id, generation_id, description)
    select $1, m.type, m.amount,
           changed.balance - $2 + sum(m.balance) over (order by m.position),
           changed.held - $3 + sum(m.held) over (order by m.position),
           m.key, m.job_id, m.generation_id, m.description
      from changed cross join movement m
     order by m.position
  )
  select exists (select from changed) as changed`;
