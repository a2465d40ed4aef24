import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const READY_TIMEOUT_MS = 180_000;
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

export default async function globalSetup({ testPathPatterns }) {
  // Who runs all tests gets some of them in turn (turn.ts).
  if (testPathPatterns.patterns.length === 0) process.env.PLATEN_TEST_TURN ??= String(randomInt(2 ** 31));
  await startServers();
}

/** Starts Postgres and Redis in a process that ends when this one does; tells the tests where they are. */
export async function startServers() {
  const servers = fork(here('servers.ts'), {
    execArgv: ['--import', new URL('typescript.mjs', import.meta.url).href],
    env: { ...process.env, NODE_OPTIONS: '' },
    detached: true,
  });
  Object.assign(process.env, await variables(servers));
  servers.unref();
  servers.channel.unref();
  globalThis.platenTestServers = servers;
}

async function variables(servers) {
  const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
  const ended = once(servers, 'exit', { signal: timeout }).then(() => {
    throw new Error('The servers for the tests could not be started.');
  });
  const [message] = await Promise.race([once(servers, 'message', { signal: timeout }), ended]);
  ended.catch(() => undefined);
  return message;
}
