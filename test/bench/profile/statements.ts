import type pg from 'pg';

/** What Postgres says of the statements of one database since the last `reset`. */
export class Statements {
  constructor(private readonly rows: pg.Client) {}

  async reset(): Promise<void> {
    await this.rows.query('create extension if not exists pg_stat_statements');
    await this.rows.query('select pg_stat_statements_reset()');
  }

  /** Every statement that ran, the dearest first: how often and how long, per generation. */
  async report(units: number): Promise<string> {
    const { rows } = await this.rows.query<StatementRow>(STATEMENTS);
    const others = rows.filter(({ query }) => !isOurs(query));
    const calls = others.reduce((sum, row) => sum + row.calls, 0);
    const time = others.reduce((sum, row) => sum + row.total_us, 0);
    const lines = others.map(({ query, calls: count, mean_us, total_us, blocks }) =>
      [
        `  ${(count / units).toFixed(2).padStart(7)} ×${mean_us.toFixed(0).padStart(6)} µs`,
        `${((100 * total_us) / time).toFixed(1).padStart(5)} %`,
        `${blocks.toFixed(0).padStart(5)} blocks  ${query.replace(/\s+/g, ' ').trim().slice(0, 150)}`,
      ].join('  '),
    );
    const sum = `${(calls / units).toFixed(2)} statements, ${(time / units).toFixed(0)} µs in Postgres per generation`;
    return [`Postgres: ${sum} (each is a round trip; begin and commit count)`, ...lines].join('\n');
  }
}

interface StatementRow {
  query: string;
  calls: number;
  mean_us: number;
  total_us: number;
  blocks: number;
}

/** The benchmark's own looking. */
const isOurs = (query: string) => /pg_stat_statements|clock_timestamp\(\) as now$|^select count\(\*\) filter/.test(query.trim());

const STATEMENTS = `
  select query, calls::int, (total_exec_time + total_plan_time) * 1000 as total_us,
         (total_exec_time + total_plan_time) * 1000 / calls as mean_us,
         (shared_blks_hit + shared_blks_read)::float8 / calls as blocks
    from pg_stat_statements s join pg_database d on d.oid = s.dbid
   where d.datname = current_database() and calls > 0
   order by total_us desc limit 60`;
