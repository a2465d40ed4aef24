import { createRedisBackend, withBackend } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { AnyBackendFactory, QueueBackend } from './queue-backend.js';
import { memoryIn } from './redis-memory.js';

/** After an outage BullMQ's own backoff grows to 20 s; work has to go on within seconds. */
const RECONNECT_AT_MOST_MS = 1_000;
const COMMAND_TIMEOUT_MS = 2_000;
/** A command that timed out leaves its connection as it is; one that says nothing at all is given up. */
const SILENT_SOCKET_MS = 3_000;
const START_TIMEOUT_MS = 5_000;
/** A worker waits 5 s for work at most: an answer that takes longer than this never comes. */
const DEAD_SOCKET_MS = 15_000;

/** A Redis that may drop keys on its own cannot carry a queue. */
export class UnsafeEvictionPolicy extends Error {
  constructor(policy: string) {
    super(
      `Redis has maxmemory-policy "${policy}", which silently drops queue entries. ` +
        'Set it to "noeviction" (CONFIG SET maxmemory-policy noeviction) and start again.',
    );
    this.name = 'UnsafeEvictionPolicy';
  }
}

/**
 * Connects to Redis. Throws `UnsafeEvictionPolicy`. A Redis that cannot be reached is no fault: the
 * process starts, and the connection follows as soon as there is one.
 */
export async function connectRedisBackend(
  url: string,
  prefix: string,
  onError: (error: Error) => void,
): Promise<QueueBackend> {
  const producer = new Redis(url, {
    ...connectionOptions,
    // A request must not wait for a Redis that is away: the reconciler repeats what is lost.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
  });
  producer.on('error', onError);
  try {
    if (await connected(producer)) await refuseEviction(producer, onError);
  } catch (error) {
    producer.disconnect();
    throw error;
  }
  // Who comes back, or comes late, may be set up otherwise. It is used all the same: entries are only hints.
  producer.on('ready', () => void refuseEviction(producer, onError).catch(onError));
  return {
    classes: withBackend(createRedisBackend as AnyBackendFactory),
    queueOptions: { connection: producer, prefix },
    workerOptions: {
      connection: { url, ...connectionOptions, maxRetriesPerRequest: null, socketTimeout: DEAD_SOCKET_MS },
      prefix,
    },
    ready: () => producer.status === 'ready',
    ping: () => producer.ping(),
    memory: async () => memoryIn(await producer.info('memory')),
    close: async () => producer.disconnect(),
  };
}

const connectionOptions: RedisOptions = {
  retryStrategy: (times) => Math.min(times * 100, RECONNECT_AT_MOST_MS),
  connectTimeout: COMMAND_TIMEOUT_MS,
  keepAlive: 10_000,
};

/** Asks by INFO, which is allowed where a managed Redis forbids CONFIG. One that does not tell is only warned of. */
async function refuseEviction(redis: Redis, warn: (error: Error) => void): Promise<void> {
  const memory = await redis.info('memory').catch((error: Error) => {
    // It went away again: the next connection will tell.
    return error.name === 'ReplyError' ? '' : 'maxmemory_policy:noeviction';
  });
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined) warn(new Error('Redis does not tell its maxmemory-policy. It must be "noeviction".'));
  else if (policy !== 'noeviction') throw new UnsafeEvictionPolicy(policy);
}

function connected(redis: Redis): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), START_TIMEOUT_MS);
    const settle = (is: boolean) => {
      clearTimeout(timer);
      resolve(is);
    };
    redis.once('ready', () => settle(true));
    redis.once('close', () => settle(false));
  });
}
