import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { ServerProcess, stopOrphan, type EmbeddedServer } from './server-process.js';

export interface PostgresOptions {
  /** Holds the data, the password and the log. Made when missing. */
  folder: string;
  /** Whether the data survive a loss of power; `false` is much quicker. */
  durable: boolean;
}

const NAME = 'platen';
const READY_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS = 3;
const SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
const SPEED_OVER_SAFETY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** Starts the Postgres that npm installed, on a free port of 127.0.0.1, with a database `platen`. */
export async function startPostgres({ folder, durable }: PostgresOptions): Promise<EmbeddedServer> {
  const binaries = findPostgresBinaries();
  const home = resolve(folder);
  const data = join(home, 'data');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  await stopOrphan(join(data, 'postmaster.pid'), data, 'SIGINT');
  rmSync(join(data, 'postmaster.pid'), { force: true });
  if (!existsSync(data)) await initialise(binaries, home, data);
  return launch(binaries, home, durable ? [] : SPEED_OVER_SAFETY);
}

/** Makes the cluster beside its place and moves it there, so that a half-made one is never started. */
async function initialise(binaries: PostgresBinaries, home: string, data: string): Promise<void> {
  const draft = `${data}.new`;
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(join(home, 'password'), randomBytes(24).toString('hex'), { mode: 0o600 });
  handOver(binaries, home, join(home, 'password'));
  const [command = '', ...args] = [
    ...binaries.prefix, binaries.initdb, '-D', draft, '-U', NAME, `--pwfile=${join(home, 'password')}`,
    '--auth=scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-sync',
  ];
  const { uid, gid } = binaries;
  const env = { ...process.env, LC_ALL: 'C' };
  await promisify(execFile)(command, args, { uid, gid, env, timeout: READY_TIMEOUT_MS });
  renameSync(draft, data);
}

/** Gives the folder to the user that Postgres runs as, who must also get through the one above it. */
function handOver({ uid, gid }: PostgresBinaries, home: string, passwordFile: string): void {
  if (uid === undefined || gid === undefined) return;
  chmodSync(dirname(home), 0o711);
  for (const path of [home, passwordFile]) chownSync(path, uid, gid);
}

async function launch(binaries: PostgresBinaries, home: string, settings: string[]): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = spawnPostgres(binaries, home, [`port=${port}`, ...SETTINGS, ...settings]);
    const password = readFileSync(join(home, 'password'), 'utf8');
    const address = `postgres://${NAME}:${password}@127.0.0.1:${port}`;
    try {
      await server.waitUntil(() => accepts(`${address}/postgres`), READY_TIMEOUT_MS);
      await createDatabase(`${address}/postgres`);
      return { url: `${address}/${NAME}`, exited: server.exited, stop: () => server.stop('SIGINT') };
    } catch (error) {
      await server.stop('SIGQUIT');
      // Somebody else took the port between our look and the start.
      if (attempt >= PORT_ATTEMPTS || !String(error).includes('Address already in use')) throw error;
    }
  }
}

function spawnPostgres(binaries: PostgresBinaries, home: string, settings: string[]): ServerProcess {
  const [command = '', ...args] = [
    ...binaries.prefix, binaries.postgres, '-D', join(home, 'data'), ...settings.flatMap((one) => ['-c', one]),
  ];
  const { uid, gid } = binaries;
  return ServerProcess.start({ command, args, log: join(home, 'postgres.log'), uid, gid });
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [NAME]);
    if (found.rowCount === 0) await client.query(`create database ${NAME}`);
  } finally {
    await client.end();
  }
}
