import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const READY_TIMEOUT_MS = 180_000;

/** The servers of the tests for a program that is run by hand, as Jest's global setup starts them. Gives what ends them. */
export async function useTestServers(): Promise<() => Promise<void>> {
  const servers = fork(fileURLToPath(new URL('servers.ts', import.meta.url)), {
    execArgv: ['--import', new URL('typescript.mjs', import.meta.url).href],
  });
  const [variables] = await once(servers, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  Object.assign(process.env, variables);
  return async () => {
    const ended = once(servers, 'exit');
    servers.disconnect();
    await ended;
  };
}
