import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { connectRedis } from '#libs/redis/redis-client.js';
import { freePort } from './free-port.js';
import { ServerProcess, stopOrphan, type EmbeddedServer } from './server-process.js';

export interface RedisOptions {
  program: string;
  /** Holds the data and the log. Made when missing. */
  folder: string;
  /** Whether the data are kept on disk. */
  durable: boolean;
}

const READY_TIMEOUT_MS = 30_000;

/** The `redis-server` or `valkey-server` on PATH, if there is one. */
export function findRedis(path = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter(Boolean);
  const programs = ['redis-server', 'valkey-server'];
  return programs.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Starts a private Redis on a free port of 127.0.0.1. */
export async function startRedis({ program, folder, durable }: RedisOptions): Promise<EmbeddedServer> {
  const home = resolve(folder);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const pidFile = join(home, 'redis.pid');
  await stopOrphan(pidFile, pidFile, 'SIGTERM');
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const settings = [
    `port ${port}`, 'bind 127.0.0.1', `requirepass ${password}`, `dir "${home}"`, 'set-proc-title no',
    // A queue may not lose keys to a full memory, it must refuse new ones.
    'maxmemory-policy noeviction', `appendonly ${durable ? 'yes' : 'no'}`, 'save ""',
  ];
  // By standard input, since arguments can be read by every user of the machine.
  const server = ServerProcess.start({
    command: program,
    args: ['-', '--pidfile', pidFile],
    input: settings.join('\n'),
    log: join(home, 'redis.log'),
  });
  const url = `redis://:${password}@127.0.0.1:${port}`;
  try {
    await server.waitUntil(() => answers(url), READY_TIMEOUT_MS);
  } catch (error) {
    await server.stop('SIGKILL');
    throw error;
  }
  return { url, exited: server.exited, stop: () => server.stop('SIGTERM') };
}

async function answers(url: string): Promise<boolean> {
  const client = connectRedis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
