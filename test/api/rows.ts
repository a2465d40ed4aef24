import type { Database } from '#libs/database/database.js';

/** Kept by requests of any kind: who asked, how often. */
const UNCOUNTED = ['migration', 'rate_limit'];

/** Reads digests of all tables, or of those rows of them that are one user's. Equal digests: nothing has changed. */
export class Rows {
  private constructor(
    private readonly database: Database,
    private readonly tables: Array<{ name: string; owned: boolean }>,
  ) {}

  static async of(database: Database): Promise<Rows> {
    const tables = await database.query<{ name: string; owned: boolean }>(
      `select t.table_name as name, exists (
                select from information_schema.columns c
                 where c.table_schema = 'public' and c.table_name = t.table_name and c.column_name = 'user_id') as owned
         from information_schema.tables t
        where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name <> all ($1)`,
      [UNCOUNTED],
    );
    return new Rows(database, tables);
  }

  async digests(userId?: string): Promise<Record<string, string>> {
    const tables = this.tables.filter(({ owned }) => owned || userId === undefined);
    return this.read(tables.map(({ name, owned }) =>
      `select '${name}' as name, md5(coalesce(string_agg(r::text, '|' order by r::text), '')) as value from ${name} r
       ${owned && userId !== undefined ? 'where user_id = $1' : ''}`), userId === undefined ? [] : [userId]);
  }

  /** How many there are. */
  async counts(): Promise<Record<string, string>> {
    return this.read(this.tables.map(({ name }) => `select '${name}' as name, count(*)::text as value from ${name}`), []);
  }

  private async read(selects: string[], parameters: unknown[]): Promise<Record<string, string>> {
    const rows = await this.database.query<{ name: string; value: string }>(selects.join(' union all '), parameters);
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }
}
