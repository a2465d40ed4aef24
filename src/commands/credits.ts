import type { LedgerEntry, Platen } from '#libs/client/index.js';
import { take } from '../listing.js';
import { printLines, printTable } from '../table.js';

export interface CreditsOptions {
  json?: true;
}

export interface LedgerOptions extends CreditsOptions {
  limit: number;
}

const PAGE = 100;

/** `platen credits`: what there is, what is reserved by running jobs, and the plan. */
export async function showCredits(client: Platen, { json }: CreditsOptions): Promise<void> {
  const credits = await client.get('/credits');
  if (json) return printLines([JSON.stringify(credits)]);
  const { balance, held, available, plan, usage } = credits;
  const amounts = { available, held, balance };
  printTable(['credits', ''], Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  printLines([
    '',
    `Plan ${plan}: ${usage.generations_this_month} of ${usage.monthly_limit} single images this month, ` +
      `counted anew from ${usage.resets_at.slice(0, 'yyyy-mm-dd'.length)}.`,
  ]);
}

/** `platen credits ledger`: every movement, the newest first. */
export async function showLedger(client: Platen, { json, limit }: LedgerOptions): Promise<void> {
  const entries = await take(client.list('/credits/ledger', { query: { limit: Math.min(limit, PAGE) } }), limit);
  if (json) return printLines([JSON.stringify(entries)]);
  printTable(['time', 'what', 'amount', 'balance', 'held', 'for'], entries.map(rowOf));
}

function rowOf(entry: LedgerEntry): string[] {
  const { created_at: time, type, amount, balance_after: balance, held_after: held, job_id: job, description } = entry;
  const about = description ?? (job ? `job ${job}` : '');
  return [time.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).replace('T', ' '), type, String(amount), String(balance), String(held), about];
}
