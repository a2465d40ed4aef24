import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startApi } from '#apps/api/main.js';
import { startWorker } from '#apps/worker/main.js';
import type { Environment } from '#libs/config/environment.js';
import { CommandFailure } from './command-failure.js';
import { startPostgres } from './embedded/postgres.js';
import { findRedis, startRedis } from './embedded/redis.js';
import type { EmbeddedServer } from './embedded/server-process.js';
import { storeExampleWorkflows } from './example-workflows.js';
import type { Connected } from './installation.js';
import { migrateDatabase } from './schema.js';

export interface AllInOneOptions {
  /** Holds the data of the embedded servers. */
  folder: string;
  /** Whether those data are to survive a crash. */
  durable: boolean;
}

/** Everything Platen needs, in and below this process: servers, schema, examples, API and worker. */
export interface AllInOne {
  url: string;
  environment: Connected;
  /** Settles with a sentence when a server that was started here has ended by itself. */
  failed: Promise<string>;
  /** Stops everything, last started first. */
  close(): Promise<void>;
}

type Stop = () => Promise<void>;

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;

/** Starts all of it and returns when the API says that it is ready; stops it again when a part fails. */
export async function startAllInOne(environment: Environment, options: AllInOneOptions): Promise<AllInOne> {
  const started: Stop[] = [];
  const close = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    const servers = await startServers(environment, options, started);
    const connected = { ...environment, ...servers.urls };
    await migrateDatabase(connected.DATABASE_URL);
    await storeExampleWorkflows(connected.DATABASE_URL);
    const url = await startApps(connected, started);
    await untilReady(url);
    return { url, environment: connected, failed: servers.failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServers(environment: Environment, options: AllInOneOptions, started: Stop[]) {
  const ends: Array<Promise<string>> = [];
  const keep = (name: string, server: EmbeddedServer) => {
    started.push(() => server.stop());
    ends.push(server.exited.then(() => `${name} has ended; its log is in ${options.folder}.`));
    return server.url;
  };
  const settings = (name: string) => ({ folder: join(options.folder, name), durable: options.durable });
  const DATABASE_URL = environment.DATABASE_URL ?? keep('Postgres', await startPostgres(settings('postgres')));
  let { REDIS_URL } = environment;
  const program = findRedis();
  if (!REDIS_URL && program) REDIS_URL = keep('Redis', await startRedis({ program, ...settings('redis') }));
  // A race of none never settles.
  return { urls: { DATABASE_URL, REDIS_URL }, failed: Promise.race(ends) };
}

/** The worker is stopped first: what it still finishes is seen by those who listen to the API. */
async function startApps(environment: Connected, started: Stop[]): Promise<string> {
  const api = await startApi(environment).catch((error: unknown) => {
    throw isPortTaken(error)
      ? new CommandFailure(`Port ${environment.PORT} is taken. Set PORT to a free one (0: any).`)
      : error;
  });
  started.push(() => api.close());
  const worker = await startWorker(environment);
  started.push(() => worker.close());
  return api.url;
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const answer = await fetch(`${url}/health/ready`, { signal }).catch(() => null);
    if (answer?.ok) return;
    const reason = (await answer?.text()) ?? 'it does not answer';
    if (Date.now() > deadline) throw new CommandFailure(`Platen is not ready: ${reason}`);
    await delay(100);
  }
}

const isPortTaken = (error: unknown) => (error as { code?: unknown } | null)?.code === 'EADDRINUSE';
