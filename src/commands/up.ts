import { startAllInOne } from '../all-in-one.js';
import { CommandFailure } from '../command-failure.js';
import { loadInstallation } from '../installation.js';
import { stopSignal } from '../stop-signal.js';
import { studioAddress } from '../studio-address.js';

/** `platen up`: everything in one process, until it is stopped. */
export async function up(): Promise<void> {
  const { environment, home } = loadInstallation();
  const other = home.running();
  if (other) {
    throw new CommandFailure(`Platen already runs from ${home.folder}: ${other.url}, process ${other.pid}.`);
  }
  const stopped = stopSignal();
  const platen = await startAllInOne(environment, { folder: home.folder, durable: true });
  try {
    const { DATABASE_URL, REDIS_URL } = platen.environment;
    home.announce({ pid: process.pid, url: platen.url, databaseUrl: DATABASE_URL, redisUrl: REDIS_URL });
    process.stdout.write(`Platen is ready at ${platen.url}\n`);
    process.stdout.write(`Open the studio: ${await studioAddress(platen.url, platen.environment)}\n`);
    const failure = await Promise.race([stopped, platen.failed]);
    if (failure) throw new CommandFailure(failure);
  } finally {
    home.withdraw();
    await platen.close();
  }
}
