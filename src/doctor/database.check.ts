import pg from 'pg';
import { migrations } from '#libs/database/migrations/index.js';
import { fail, ok, shownAddress, warn, type Check, type Finding, type Patient } from './check.js';

const OLDEST = 14;
const ANSWER_MS = 5_000;

interface Seen {
  version: number;
  version_text: string;
  connections: number;
  allowed: number;
  has_trigrams: boolean;
  is_replica: boolean;
  has_migrations: boolean;
}

export const databaseCheck: Check = {
  name: 'Database',
  async examine({ databaseUrl, environment }) {
    if (!databaseUrl) return [ok('embedded Postgres, which does not run now: `npm start` starts it')];
    const client = new pg.Client({
      connectionString: databaseUrl, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      return [fail(
        `${shownAddress(databaseUrl)} cannot be reached: ${(error as Error).message}`,
        'Start Postgres, or correct DATABASE_URL.',
      )];
    }
    try {
      return await judge(client, databaseUrl, environment);
    } finally {
      await client.end();
    }
  },
};

async function judge(client: pg.Client, url: string, environment: Patient['environment']): Promise<Finding[]> {
  const { rows: [seen] } = await client.query<Seen>(SEEN);
  if (!seen) throw new Error('Postgres tells nothing of itself');
  const done = seen.has_migrations ? (await client.query<{ name: string }>('select name from migration')).rows : [];
  return [
    seen.version >= OLDEST
      ? ok(`Postgres ${seen.version_text} at ${shownAddress(url)}`)
      : fail(`Postgres ${seen.version_text} at ${shownAddress(url)}`, `Platen needs Postgres ${OLDEST} or newer.`),
    ...(seen.is_replica ? [fail('it is a replica: nothing can be written', 'Let DATABASE_URL name the primary.')] : []),
    judgeMigrations(done.map(({ name }) => name)),
    ...(seen.has_trigrams ? [] : [fail('the extension pg_trgm is not to be had', 'Install postgresql-contrib.')]),
    judgeConnections(seen, environment.DATABASE_POOL),
  ];
}

export function judgeMigrations(done: string[]): Finding {
  const known = migrations.map((Migration) => new Migration().name);
  const missing = known.filter((name) => !done.includes(name));
  const foreign = done.filter((name) => !known.includes(name));
  if (missing.length > 0) {
    return fail(`${missing.length} of ${known.length} migrations are missing: ${missing.join(', ')}`, 'Run `npm run migrate`.');
  }
  if (foreign.length > 0) {
    return warn(`the schema is newer than this program: ${foreign.join(', ')}`, 'Bring this program up to the others\' release.');
  }
  return ok(`all ${known.length} migrations have run`);
}

/** A process takes its pool, and some more for queue, events and rate limits where Postgres carries them. */
export function judgeConnections(seen: Pick<Seen, 'connections' | 'allowed'>, pool: number): Finding {
  const text = `${seen.connections} of ${seen.allowed} connections are used, DATABASE_POOL is ${pool}`;
  return seen.allowed - seen.connections >= pool
    ? ok(text)
    : warn(text, 'One more process might get none: raise max_connections, or lower DATABASE_POOL.');
}

const SEEN = `
  select current_setting('server_version_num')::int / 10000 as version, current_setting('server_version') as version_text,
         (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
         current_setting('max_connections')::int as allowed,
         exists (select from pg_available_extensions where name = 'pg_trgm') as has_trigrams,
         pg_is_in_recovery() as is_replica, to_regclass('migration') is not null as has_migrations`;
