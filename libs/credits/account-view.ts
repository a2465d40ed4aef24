import type { Queryable } from '#libs/database/database.js';
import { toCredits } from './micro-credits.js';

export interface Balance {
  balance: number;
  held: number;
  available: number;
}

export interface LedgerEntryView {
  id: string;
  type: string;
  amount: number;
  balance_after: number;
  held_after: number;
  job_id: string | null;
  generation_id: string | null;
  description: string | null;
  created_at: Date;
}

type EntryRow = Omit<LedgerEntryView, 'amount' | 'balance_after' | 'held_after'> &
  Record<'amount' | 'balance_after' | 'held_after', string>;

/** What the user owns, in credits. Zero for a user without an account. */
export async function readBalance(db: Queryable, userId: string): Promise<Balance> {
  const [account] = await db.query<{ balance: string; held: string }>(
    'select balance, held from account where user_id = $1',
    [userId],
  );
  const balance = BigInt(account?.balance ?? 0);
  const held = BigInt(account?.held ?? 0);
  return { balance: toCredits(balance), held: toCredits(held), available: toCredits(balance - held) };
}

/** The user's entries below the id `before`, newest first; one more than `limit` when there are more. */
export async function readLedger(
  db: Queryable,
  userId: string,
  { limit, before }: { limit: number; before: string | null },
): Promise<LedgerEntryView[]> {
  const rows = await db.query<EntryRow>(
    `select id, type, amount, balance_after, held_after, job_id, generation_id, description, created_at
       from credit_entry where user_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3`,
    [userId, before, limit + 1],
  );
  return rows.map((row) => ({
    ...row,
    amount: toCredits(row.amount),
    balance_after: toCredits(row.balance_after),
    held_after: toCredits(row.held_after),
  }));
}
