import { createRedisBackend, withBackend } from 'bullmq';
import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import {
  connectRedis, isRedisCluster, LASTING, redisConnectionOptions, serversOf, type RedisClient,
} from '#libs/redis/redis-client.js';
import type { AnyBackendFactory, QueueBackend } from './queue-backend.js';
import { fullest, memoryIn } from './redis-memory.js';

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

/** BullMQ's scripts name several keys of a queue, which a cluster keeps together only by braces in their prefix. */
const HASH_TAG = /\{[^}]+\}/;

/**
 * Connects to Redis. Throws `UnsafeEvictionPolicy`. A Redis that cannot be reached is no fault: the
 * process starts, and the connection follows as soon as there is one.
 */
export async function connectRedisBackend(
  url: string,
  prefix: string,
  onError: (error: Error) => void,
): Promise<QueueBackend> {
  if (isRedisCluster(url) && !HASH_TAG.test(prefix)) throw new Error(`On a Redis Cluster the prefix "${prefix}" needs braces`);
  const producer = connectRedis(url, {
    ...LASTING,
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
  // Of a cluster a client, which workers duplicate: not made where nothing is consumed.
  let consumers: ReturnType<typeof redisConnectionOptions> | undefined;
  return {
    classes: withBackend(createRedisBackend as AnyBackendFactory),
    queueOptions: { connection: producer, prefix },
    get workerOptions() {
      consumers ??= consumersOf(url, onError);
      return { connection: consumers, prefix };
    },
    ready: () => producer.status === 'ready',
    ping: () => producer.ping(),
    memory: async () => fullest((await Promise.all(serversOf(producer).map((server) => server.info('memory')))).map(memoryIn)),
    close: async () => {
      producer.disconnect();
      if (consumers instanceof Cluster) consumers.disconnect();
    },
  };
}

const consumerOptions: RedisOptions = { ...LASTING, maxRetriesPerRequest: null, socketTimeout: DEAD_SOCKET_MS };

function consumersOf(url: string, onError: (error: Error) => void): ReturnType<typeof redisConnectionOptions> {
  const connection = redisConnectionOptions(url, consumerOptions);
  return connection instanceof Cluster ? connection.on('error', onError) : connection;
}

/** Asks by INFO, which is allowed where a managed Redis forbids CONFIG. One that does not tell is only warned of. */
async function refuseEviction(redis: RedisClient, warn: (error: Error) => void): Promise<void> {
  await Promise.all(serversOf(redis).map((server) => refuseEvictionOf(server, warn)));
}

async function refuseEvictionOf(server: Redis, warn: (error: Error) => void): Promise<void> {
  const memory = await server.info('memory').catch((error: Error) => {
    // It went away again: the next connection will tell.
    return error.name === 'ReplyError' ? '' : 'maxmemory_policy:noeviction';
  });
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined) warn(new Error('Redis does not tell its maxmemory-policy. It must be "noeviction".'));
  else if (policy !== 'noeviction') throw new UnsafeEvictionPolicy(policy);
}

function connected(redis: RedisClient): Promise<boolean> {
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
