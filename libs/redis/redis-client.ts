import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { parseRedisUrl, type RedisAddress } from './redis-address.js';

export type RedisClient = Redis | Cluster;

/** Options of connections that are to last. */
export const LASTING: RedisOptions = {
  // Work has to go on within seconds of an outage; BullMQ's own backoff grows to 20 s.
  retryStrategy: (times) => Math.min(times * 100, 1_000),
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // A master that was made a replica may still be connected: whom sentinels, or its name, lead to now can write.
  reconnectOnError: ({ message }) => message.startsWith('READONLY'),
};

type SentinelAddress = Extract<RedisAddress, { kind: 'sentinel' }>;
type ClusterAddress = Extract<RedisAddress, { kind: 'cluster' }>;

/**
 * Connects to what a `REDIS_URL` names: one server, the master that sentinels know, or a cluster. The options mean
 * the same for all: on a cluster those of retries and queues are the whole's, the others each node's.
 */
export function connectRedis(url: string, options: RedisOptions = {}): RedisClient {
  const address = parseRedisUrl(url);
  if (address.kind === 'single') return new Redis(address.url, options);
  if (address.kind === 'sentinel') return new Redis(sentinelOptions(address, options));
  return new Cluster(address.nodes, clusterOptions(address, options));
}

/**
 * The same as options, for a library that makes its connections itself. Of a cluster it can only be given a client
 * to duplicate, which is whose it is to end.
 */
export function redisConnectionOptions(url: string, options: RedisOptions): (RedisOptions & { url?: string }) | Cluster {
  const address = parseRedisUrl(url);
  if (address.kind === 'single') return { url: address.url, ...options };
  if (address.kind === 'sentinel') return sentinelOptions(address, options);
  return new Cluster(address.nodes, clusterOptions(address, options));
}

export function isRedisCluster(url: string): boolean {
  return parseRedisUrl(url).kind === 'cluster';
}

/** Each server that holds keys: the masters of a cluster, else the one. */
export function serversOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

function sentinelOptions(address: SentinelAddress, options: RedisOptions): RedisOptions {
  const { nodes, username, password, name, db, tls, sentinelUsername, sentinelPassword } = address;
  return {
    ...options,
    sentinels: nodes,
    name,
    db,
    ...(username && { username }),
    ...(password && { password }),
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: options.retryStrategy ?? undefined,
    sentinelCommandTimeout: options.connectTimeout,
  };
}

function clusterOptions(address: ClusterAddress, options: RedisOptions): ClusterOptions {
  const { username, password, tls } = address;
  // A cluster tells by itself who is a master.
  const { retryStrategy, enableOfflineQueue, enableAutoPipelining, lazyConnect, reconnectOnError: _own, ...ofEachNode } = options;
  return {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: enableOfflineQueue ?? true,
    enableAutoPipelining: enableAutoPipelining ?? false,
    lazyConnect: lazyConnect ?? false,
    slotsRefreshTimeout: options.connectTimeout,
    redisOptions: {
      ...ofEachNode,
      ...(username && { username }),
      ...(password && { password }),
      ...(tls && { tls: {} }),
    },
    // Certificates are made out to names: they must not be resolved before TLS has seen them.
    ...(tls && { dnsLookup: (host, done) => done(null, host) }),
  };
}
