import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../src/embedded/postgres.js';
import { startRedis } from '../../src/embedded/redis.js';
import type { EmbeddedServer } from '../../src/embedded/server-process.js';
import { findOrInstallRedis } from './redis-program.js';
import { createTemplate } from './template.js';

/** The variables by which the tests find the servers. Set beforehand, those servers are used. */
export interface TestServers {
  PLATEN_TEST_DATABASE_URL: string;
  PLATEN_TEST_TEMPLATE: string;
  /** Missing: there is no Redis here, and what needs one is skipped. */
  PLATEN_TEST_REDIS_URL?: string;
}

/*
 * A process of its own that owns the servers of a test run. It ends with the run, however that ends:
 * when the channel to the parent breaks, the parent is done, interrupted or killed. Started by hand
 * (`node --import ./test/setup/typescript.mjs test/setup/servers.ts`) it prints the variables and stays.
 */
const folder = mkdtempSync(join(tmpdir(), 'platen-test-'));
const started: EmbeddedServer[] = [];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
process.on('disconnect', () => void stop());

const starting = start();
starting.then(report).catch((error: unknown) => {
  process.stderr.write(`The servers for the tests could not be started: ${String(error)}\n`);
  process.exitCode = 1;
  void stop();
});

async function start(): Promise<TestServers> {
  const database = process.env.PLATEN_TEST_DATABASE_URL || (await keep(startPostgres(settings('postgres'))));
  const redis = process.env.PLATEN_TEST_REDIS_URL || (await startFoundRedis());
  return {
    PLATEN_TEST_DATABASE_URL: database,
    PLATEN_TEST_TEMPLATE: await createTemplate(database),
    ...(redis && { PLATEN_TEST_REDIS_URL: redis }),
  };
}

async function startFoundRedis(): Promise<string | undefined> {
  const program = findOrInstallRedis();
  return program && keep(startRedis({ program, ...settings('redis') }));
}

function settings(name: string): { folder: string; durable: boolean } {
  return { folder: join(folder, name), durable: false };
}

async function keep(coming: Promise<EmbeddedServer>): Promise<string> {
  const server = await coming;
  started.push(server);
  return server.url;
}

/** A test run also gets a folder for what its tests leave behind, which ends with it. */
function report(servers: TestServers): void {
  if (process.send) process.send({ ...servers, TMPDIR: temporaryFolder() });
  else for (const [name, value] of Object.entries(servers)) process.stdout.write(`export ${name}=${value}\n`);
}

function temporaryFolder(): string {
  const path = join(folder, 'tmp');
  mkdirSync(path);
  // Where Postgres must run as nobody, nobody has to get through.
  for (const each of [folder, path]) chmodSync(each, 0o711);
  return path;
}

/** Waits for a start that is under way: what it brings up would be left running otherwise. */
async function stop(): Promise<void> {
  await starting.catch(() => undefined);
  await Promise.all(started.splice(0).map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
