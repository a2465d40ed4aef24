import { BullmqWakeQueue } from './bullmq.wake-queue.js';
import { connectPostgresBackend } from './postgres-backend.js';
import { connectRedisBackend } from './redis-backend.js';

export interface WakeQueueOptions {
  /** Unset: Postgres carries the queue. */
  redisUrl?: string;
  databaseUrl: string;
  /** Redis key prefix. The braces keep all keys in one slot of a cluster. */
  prefix?: string;
  /** Told of every lost connection and failed command; they heal by themselves. */
  onError?: (error: Error) => void;
}

/** Connects the queue. Throws when Postgres is away or Redis would drop entries (`UnsafeEvictionPolicy`). */
export async function createWakeQueue(options: WakeQueueOptions): Promise<BullmqWakeQueue> {
  const { redisUrl, databaseUrl, prefix = '{platen}', onError = () => undefined } = options;
  const backend = redisUrl
    ? await connectRedisBackend(redisUrl, prefix, onError)
    : await connectPostgresBackend(databaseUrl, onError);
  return new BullmqWakeQueue(backend, onError);
}
