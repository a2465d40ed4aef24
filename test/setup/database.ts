import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createDataSource } from '#libs/database/data-source.js';
import { Database } from '#libs/database/database.js';

export interface TestDatabase {
  database: Database;
  /** For what opens its own connections: LISTEN, a second process, BullMQ's Postgres backend. */
  url: string;
  /** Ends the connections and drops the database. */
  close(): Promise<void>;
}

/** Connections of one test database at most. */
const POOL_SIZE = 10;

/** A migrated, empty database of one's own. Postgres is real; nothing of it is shared between test files. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(`create database ${name} template ${variable('PLATEN_TEST_TEMPLATE')}`);
  const url = new URL(variable('PLATEN_TEST_DATABASE_URL'));
  url.pathname = `/${name}`;
  const dataSource = await createDataSource({ url: url.href, poolSize: POOL_SIZE }).initialize();
  return {
    database: new Database(dataSource),
    url: url.href,
    close: async () => {
      await dataSource.destroy();
      await onServer(`drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: variable('PLATEN_TEST_DATABASE_URL') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests through Jest's global setup.`);
  return value;
}
