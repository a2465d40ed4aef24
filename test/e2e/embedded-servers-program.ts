import { startPostgres } from '../../src/embedded/postgres.js';
import { startRedis } from '../../src/embedded/redis.js';
import { findOrInstallRedis } from '../setup/redis-program.js';

/* Starts the embedded servers below the folder it is given, says where they are, and stays until it is told. */
const folder = String(process.argv[2]);
const program = findOrInstallRedis();
const postgres = await startPostgres({ folder: `${folder}/postgres`, durable: true });
const redis = program ? await startRedis({ program, folder: `${folder}/redis`, durable: true }) : undefined;

process.on('message', async () => {
  await Promise.all([postgres.stop(), redis?.stop()]);
  process.disconnect();
});
process.send?.({ databaseUrl: postgres.url, redisUrl: redis?.url });
