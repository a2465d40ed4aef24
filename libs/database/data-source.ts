import { DataSource } from 'typeorm';
import { migrations } from './migrations/index.js';
import { SERVER_KEEPALIVE } from './server-keepalive.js';

/** Any fixed number: processes that boot at once migrate one after another under this advisory lock. */
const MIGRATION_LOCK = 7_065_412;

export interface DataSourceOptions {
  url: string;
  /** Connections held at most by this process. */
  poolSize: number;
  /** By which others see this process in `pg_stat_activity`, as long as it lives. */
  name?: string;
  /** How long an answer may take before the connection counts as lost. */
  silenceMs?: number;
  /** For migrations: statements may take as long as they do. */
  unhurried?: boolean;
}

/** Postgres itself ends a statement that takes this long. */
const STATEMENT_MS = 30_000;
/** Longer than any statement: without an answer by then the way to Postgres is broken, and nobody said so. */
const SILENCE_MS = STATEMENT_MS + 1_000;

export function createDataSource(options: DataSourceOptions): DataSource {
  const { url, poolSize, name, silenceMs = SILENCE_MS, unhurried = false } = options;
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations,
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    poolSize,
    logging: false,
    extra: {
      application_name: name ?? 'platen',
      // Who has a name keeps a connection, and with it the name.
      min: name ? 1 : 0,
      connectionTimeoutMillis: 5_000,
      ...(!unhurried && { statement_timeout: STATEMENT_MS, query_timeout: silenceMs }),
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
      keepAlive: true,
      options: SERVER_KEEPALIVE,
    },
    // A pool without a listener would end the process when Postgres restarts.
    poolErrorHandler: () => undefined,
  });
}

/** Brings the schema up to date. Safe to call from any number of processes at once. */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const lock = dataSource.createQueryRunner();
  // Whoever comes second waits for the first one's migrations, which may take minutes.
  await lock.query('set lock_timeout = 0');
  await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
  try {
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    return ran.map((migration) => migration.name);
  } finally {
    await lock.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await lock.query('reset lock_timeout');
    await lock.release();
  }
}
