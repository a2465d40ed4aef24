import type { Database } from '#libs/database/database.js';

/** Kept by requests of any kind: who asked, how often. */
const UNCOUNTED = ['migration', 'rate_limit'];

/** Reads what is in the tables, so briefly that it can be compared before and after a request. */
export class Rows {
  private constructor(
    private readonly database: Database,
    private readonly tables: Array<{ name: string; owned: boolean }>,
  ) {}

  static async of(database: Database): Promise<Rows> {
    const tables = await database.query<{ name: string; owned: boolean }>(
      `select t.table_name as name, exists (
                select from information_schema.columns c
                 where c.table_schema = 'public' and c.table_name = t.table_name
                   and c.column_name = 'user_id') as owned
         from information_schema.tables t
        where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name <> all ($1)`,
      [UNCOUNTED],
    );
    return new Rows(database, tables);
  }

  /** Equal digests: nothing has changed, of all rows or of those that are the user's. */
  digests(userId?: string): Promise<Record<string, string>> {
    if (userId === undefined) return this.read(this.tables.map(({ name }) => digestOf(name)));
    const owned = this.tables.filter((table) => table.owned);
    return this.read(owned.map(({ name }) => `${digestOf(name)} where user_id = $1`), [userId]);
  }

  /** How many rows each table has. */
  counts(): Promise<Record<string, string>> {
    return this.read(this.tables.map(({ name }) => `select '${name}' as name, count(*)::text as value from ${name}`));
  }

  private async read(selects: string[], parameters: unknown[] = []): Promise<Record<string, string>> {
    const sql = selects.join(' union all ');
    const rows = await this.database.query<{ name: string; value: string }>(sql, parameters);
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }
}

const digestOf = (table: string): string =>
  `select '${table}' as name, md5(coalesce(string_agg(r::text, '|' order by r::text), '')) as value from ${table} r`;
