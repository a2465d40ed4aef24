import pg from 'pg';
import { fail, ok, warn, type Check } from './check.js';

const ANSWER_MS = 5_000;
/** Leases and deadlines run on the database's clock; tokens and signatures are judged by this machine's. */
const TOLERATED_MS = 2_000;
const UNBEARABLE_MS = 60_000;

export const clockCheck: Check = {
  name: 'Clock',
  async examine({ databaseUrl }) {
    if (!databaseUrl) return [ok('nothing to compare it with')];
    const client = new pg.Client({
      connectionString: databaseUrl, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const asked = Date.now();
      const { rows } = await client.query<{ ms: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as ms');
      return [judgeClock((asked + Date.now()) / 2 - (rows[0]?.ms ?? NaN), Date.now() - asked)];
    } catch {
      return [warn('the database does not tell the time', 'See what stands by Database.')];
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

/** `askedMs`: how long the answer took, by half of which the difference is uncertain. */
export function judgeClock(aheadMs: number, askedMs: number) {
  const certain = Math.max(0, Math.abs(aheadMs) - askedMs / 2);
  const text = `${Math.abs(Math.round(aheadMs))} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} the database`;
  const advice = 'Let both machines keep time by NTP (timedatectl set-ntp true).';
  if (certain > UNBEARABLE_MS) return fail(`${text}: tokens and webhooks will be refused`, advice);
  return certain > TOLERATED_MS ? warn(text, advice) : ok(text);
}
