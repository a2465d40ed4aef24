import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import pg from 'pg';
import { SERVER_KEEPALIVE } from '#libs/database/server-keepalive.js';
import { LANES } from '#libs/nodes/node.js';
import { PatientPool } from './patient-pool.js';
import type { AnyBackendFactory, QueueBackend } from './queue-backend.js';

/** BullMQ's tables live beside Platen's, in a schema of their own. */
const SCHEMA = 'bullmq';
/** Each worker keeps one connection for LISTEN. A pool without spare ones hangs. */
const POOL_SIZE = LANES.length + 4;
const CONNECT_TIMEOUT_MS = 2_000;
/** Queries of the queue are quick: without an answer by then the connection is dead, and nobody said so. */
const SILENCE_MS = 10_000;

/** Connects to Postgres and brings BullMQ's schema up to date. Safe in any number of processes at once. */
export async function connectPostgresBackend(
  url: string,
  onError: (error: Error) => void,
  poolSize = POOL_SIZE,
): Promise<QueueBackend> {
  const config: pg.PoolConfig = {
    connectionString: url,
    max: poolSize,
    options: `-c search_path=${SCHEMA} ${SERVER_KEEPALIVE}`,
    application_name: 'platen-queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: SILENCE_MS,
    keepAlive: true,
  };
  await migrate(config);
  const pool = new PatientPool(config, onError);
  // Each queue and worker on this pool listens for its errors, too.
  pool.setMaxListeners(50);
  return {
    classes: withBackend(createPostgresBackend as AnyBackendFactory),
    queueOptions: { connection: pool },
    workerOptions: { connection: pool },
    ready: () => true,
    ping: () => pool.query('select 1'),
    memory: async () => null,
    close: () => endQuietly(pool),
  };
}

/** A server that stops just then cuts what is still being ended: no one needs to hear of that. */
function endQuietly(pool: pg.Pool): Promise<void> {
  pool.removeAllListeners('error').on('error', () => undefined);
  return pool.end();
}

/** At start a Postgres that is away is an error, not a thing to wait for. */
async function migrate(config: pg.PoolConfig): Promise<void> {
  const client = new pg.Client(config);
  try {
    await client.connect();
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}
