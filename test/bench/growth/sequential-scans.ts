import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/** Backends report what they did about once a second. */
const REPORTED_WITHIN_MS = 2_500;
/** Below this many rows a table may as well be read whole. */
const LARGE = 10_000;

/** Watches which large tables are read from beginning to end, whoever does it. */
export class SequentialScans {
  private constructor(
    private readonly db: pg.Client,
    private readonly before: Map<string, number>,
  ) {}

  static async watch(db: pg.Client): Promise<SequentialScans> {
    await delay(REPORTED_WITHIN_MS);
    return new SequentialScans(db, await scansOf(db));
  }

  /** Tables that were read whole since `watch`, and how often. */
  async found(): Promise<string[]> {
    await delay(REPORTED_WITHIN_MS);
    const after = await scansOf(this.db);
    const times = (table: string) => (after.get(table) ?? 0) - (this.before.get(table) ?? 0);
    return [...after.keys()].filter((table) => times(table) > 0).map((table) => `${table} (${times(table)} times)`);
  }
}

async function scansOf(db: pg.Client): Promise<Map<string, number>> {
  const { rows } = await db.query<{ relname: string; scans: number }>(
    `select s.relname, s.seq_scan::int as scans from pg_stat_user_tables s join pg_class c on c.oid = s.relid
      where c.reltuples > $1 order by 1`,
    [LARGE],
  );
  return new Map(rows.map(({ relname, scans }) => [relname, scans]));
}
