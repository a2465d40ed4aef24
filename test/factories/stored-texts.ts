import type { Database } from '#libs/database/database.js';

/** A row as text, binary columns read as text as well. */
export interface StoredText {
  table: string;
  text: string;
}

/** Every row of every table, as a dump would show them. */
export async function storedTexts(database: Database): Promise<StoredText[]> {
  const tables = await database.query<{ schema: string; name: string; columns: string[]; binary: boolean[] }>(
    `select table_schema as schema, table_name as name, array_agg(quote_ident(column_name) order by ordinal_position) as columns,
            array_agg(data_type = 'bytea' order by ordinal_position) as binary
       from information_schema.columns join information_schema.tables using (table_schema, table_name)
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
      group by table_schema, table_name order by 1, 2`,
  );
  const texts: StoredText[] = [];
  for (const { schema, name, columns, binary } of tables) {
    const shown = columns.map((column, i) => (binary[i] ? `encode(${column}, 'escape')` : `${column}::text`));
    const rows = await database.query<{ text: string }>(`select concat_ws(E'\\t', ${shown.join(', ')}) as text from "${schema}"."${name}"`);
    texts.push(...rows.map(({ text }) => ({ table: name, text })));
  }
  return texts;
}
