import type { DataSource } from 'typeorm';
import { createDataSource, migrate, type DataSourceOptions } from '#libs/database/data-source.js';
import { CommandFailure } from './command-failure.js';

/** Enough for a command: one for the lock, one for the work. */
const CONNECTIONS = 2;

/** Runs `work` on connections of its own. Says where the database is when it cannot be reached. */
export async function withDataSource<Result>(
  url: string,
  work: (source: DataSource) => Promise<Result>,
  options: Pick<DataSourceOptions, 'unhurried'> = {},
): Promise<Result> {
  const source = createDataSource({ url, poolSize: CONNECTIONS, ...options });
  await source.initialize().catch((error: Error) => {
    throw new CommandFailure(`The database at ${new URL(url).host} cannot be used: ${error.message}`);
  });
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}

/** Brings the schema up to date, however long an index takes to build, and returns the names of the migrations that ran. */
export function migrateDatabase(url: string): Promise<string[]> {
  return withDataSource(url, migrate, { unhurried: true });
}

/** Fails when the schema is older than this program. */
export async function assertMigrated(source: DataSource): Promise<void> {
  if (await source.showMigrations()) {
    throw new CommandFailure('The schema of the database is older than this program: run `npm run migrate`.');
  }
}
