import type { Environment } from '#libs/config/environment.js';
import { connect, loadInstallation } from '../installation.js';
import { assertMigrated, withDataSource } from '../schema.js';
import { stopSignal } from '../stop-signal.js';

interface Started {
  close(): Promise<void>;
  url?: string;
}

/** `platen api` */
export async function api(): Promise<void> {
  const { startApi } = await import('#apps/api/main.js');
  await serve(startApi, ({ url }) => `The API is ready at ${url}`);
}

/** `platen worker` */
export async function worker(): Promise<void> {
  const { startWorker } = await import('#apps/worker/main.js');
  await serve(startWorker, ({ url }) => (url ? `The worker is ready, its health at ${url}` : 'The worker is ready'));
}

async function serve(
  start: (environment: Environment) => Promise<Started>,
  ready: (started: Started) => string,
): Promise<void> {
  const environment = connect(loadInstallation());
  const stopped = stopSignal();
  await withDataSource(environment.DATABASE_URL, assertMigrated);
  const started = await start(environment);
  process.stdout.write(`${ready(started)}\n`);
  await stopped;
  await started.close();
}
