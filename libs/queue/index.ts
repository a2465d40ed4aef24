import { isRedisCluster } from '#libs/redis/redis-client.js';
import { BullmqServiceQueue } from './bullmq.service-queue.js';
import { BullmqWakeQueue } from './bullmq.wake-queue.js';
import { DraftQueue } from './draft-queue.js';
import { EmpropsServiceQueue } from './emprops.service-queue.js';
import { connectPostgresBackend } from './postgres-backend.js';
import type { QueueBackend } from './queue-backend.js';
import { connectRedisBackend } from './redis-backend.js';
import type { ServiceQueue } from './service-queue.js';

const BULLMQ_PREFIX = 'bull';
/** The same, with the braces that BullMQ needs there. */
const CLUSTER_PREFIX = '{bull}';
/** To Postgres: one to hear each open service's events, and some to ask. */
const SERVICE_CONNECTIONS = 12;

export interface QueueOptions {
  /** Unset: Postgres carries the queue. */
  redisUrl?: string;
  databaseUrl: string;
  /** Redis key prefix. The braces keep all keys in one slot of a cluster. */
  prefix?: string;
  /** Told of every lost connection and failed command; they heal by themselves. */
  onError?: (error: Error) => void;
}

/** Connects the queue. Throws when Postgres is away or Redis would drop entries (`UnsafeEvictionPolicy`). */
export async function createWakeQueue(options: QueueOptions): Promise<BullmqWakeQueue> {
  return new BullmqWakeQueue(await connectBackend(options), options.onError);
}

/** Connects the queue of drafts, likewise. */
export async function createDraftQueue(options: QueueOptions): Promise<DraftQueue> {
  return new DraftQueue(await connectBackend(options), options.onError);
}

/**
 * The queue of services outside, connected when it is first used. Their workers need not know of Platen's own keys:
 * on Redis they find it under BullMQ's own prefix (in braces on a cluster). With `empropsUrl` it is the origin
 * platform's queue instead.
 */
export function createServiceQueue(options: QueueOptions & { empropsUrl?: string }): ServiceQueue {
  const { redisUrl, databaseUrl, empropsUrl, onError = () => undefined } = options;
  if (empropsUrl) return new EmpropsServiceQueue(empropsUrl, onError);
  const connect = () => redisUrl
    ? connectRedisBackend(redisUrl, isRedisCluster(redisUrl) ? CLUSTER_PREFIX : BULLMQ_PREFIX, onError)
    : connectPostgresBackend(databaseUrl, onError, SERVICE_CONNECTIONS);
  return new BullmqServiceQueue(connect, onError);
}

function connectBackend(options: QueueOptions): Promise<QueueBackend> {
  const { redisUrl, databaseUrl, prefix = '{platen}', onError = () => undefined } = options;
  return redisUrl
    ? connectRedisBackend(redisUrl, prefix, onError)
    : connectPostgresBackend(databaseUrl, onError);
}
