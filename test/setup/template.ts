import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createDataSource, migrate } from '#libs/database/data-source.js';

const MIGRATIONS = join(import.meta.dirname, '../../libs/database/migrations');
/** Any fixed number: runs that share a server make the template one after another. */
const TEMPLATE_LOCK = 7_065_413;

/**
 * Makes the migrated database that every test database is a copy of, and returns its name. The name
 * changes with the migrations, so that a server which outlives a run never offers an old schema.
 */
export async function createTemplate(serverUrl: string): Promise<string> {
  const name = `platen_template_${digestOfMigrations()}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const found = await admin.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await fill(admin, serverUrl, name);
  } finally {
    await admin.end();
  }
  return name;
}

/** Migrates under another name first: a template that exists is complete. */
async function fill(admin: pg.Client, serverUrl: string, name: string): Promise<void> {
  const draft = `${name}_draft`;
  await admin.query(`drop database if exists ${draft} with (force)`);
  await admin.query(`create database ${draft}`);
  const url = new URL(serverUrl);
  url.pathname = `/${draft}`;
  const dataSource = await createDataSource({ url: url.href, poolSize: 2 }).initialize();
  await migrate(dataSource).finally(() => dataSource.destroy());
  await admin.query(`alter database ${draft} rename to ${name}`);
}

function digestOfMigrations(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS).sort()) hash.update(readFileSync(join(MIGRATIONS, file)));
  return hash.digest('hex').slice(0, 12);
}
