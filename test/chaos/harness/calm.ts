import { setTimeout as delay } from 'node:timers/promises';
import type { Storm } from './storm.js';
import type { Town } from './town.js';

const LOOK_MS = 250;

/** Generations that have not ended. */
export async function openGenerations(town: Town): Promise<number> {
  const [row] = await town.query<{ open: number }>(
    `select count(*)::int as open from generation where status not in ('completed', 'failed', 'cancelled')`,
  );
  return row?.open ?? 0;
}

/** Waits until nothing is open any more; what still is after `timeoutMs` is AUDIT's to find. */
export async function untilCalm(storm: Storm, timeoutMs: number): Promise<void> {
  const startedAt = Date.now();
  while ((await openGenerations(storm.town)) > 0 && Date.now() - startedAt < timeoutMs) await delay(LOOK_MS);
  const endings = await storm.town.query<{ status: string; count: number }>(
    'select status, count(*)::int as count from generation group by status',
  );
  for (const { status, count } of endings) storm.did(`generations ${status}`, count);
}
