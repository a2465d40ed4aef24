import { once } from 'node:events';

const STOP_TIMEOUT_MS = 30_000;

export default async function globalTeardown() {
  const servers = globalThis.platenTestServers;
  if (!servers?.connected) return;
  servers.ref();
  const ended = once(servers, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  servers.disconnect();
  await ended;
}
