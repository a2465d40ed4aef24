import type { ThrottlerStorage } from '@nestjs/throttler';
import pg from 'pg';
import { RateLimiterPostgres, RateLimiterRedis, type RateLimiterStoreAbstract } from 'rate-limiter-flexible';
import type { Environment } from '#libs/config/environment.js';
import { connectRedis, LASTING } from '#libs/redis/redis-client.js';

/** A store that does not answer in this time is away: the request goes on uncounted. */
const TIMEOUT_MS = 200;
export const WINDOW_SECONDS = 60;
/** The library's own limit is out of the way: each plan has another, so the counts are compared here. */
const UNLIMITED = 2_000_000_000;

type Usage = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Requests of the running minute, counted by all API processes together in Redis, or in Postgres where
 * that carries the queue. Fails open: with the store away every request counts as the first.
 */
export class RateLimitStore implements ThrottlerStorage {
  constructor(
    private readonly limiter: RateLimiterStoreAbstract,
    private readonly disconnect: () => Promise<unknown>,
  ) {}

  async increment(key: string, _ttl: number, limit: number): Promise<Usage> {
    const { consumedPoints, msBeforeNext } = await this.count(key);
    const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    return {
      totalHits: consumedPoints,
      timeToExpire: seconds,
      isBlocked: consumedPoints > limit,
      timeToBlockExpire: seconds,
    };
  }

  async close(): Promise<void> {
    await this.disconnect();
  }

  private async count(key: string): Promise<{ consumedPoints: number; msBeforeNext: number }> {
    let timer: NodeJS.Timeout | undefined;
    const away = new Promise<{ consumedPoints: number; msBeforeNext: number }>((resolve) => {
      timer = setTimeout(resolve, TIMEOUT_MS, { consumedPoints: 1, msBeforeNext: WINDOW_SECONDS * 1000 });
    });
    try {
      const counted = this.limiter.consume(key).catch(() => ({ consumedPoints: 1, msBeforeNext: WINDOW_SECONDS * 1000 }));
      return await Promise.race([counted, away]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The store of this process: Redis when `REDIS_URL` is set, else Postgres. Connects by itself. */
export function createRateLimitStore(environment: Pick<Environment, 'REDIS_URL' | 'DATABASE_URL'>): RateLimitStore {
  return environment.REDIS_URL ? inRedis(environment.REDIS_URL) : inPostgres(environment.DATABASE_URL);
}

function inRedis(url: string): RateLimitStore {
  const redis = connectRedis(url, {
    ...LASTING,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: TIMEOUT_MS,
    enableAutoPipelining: true,
  });
  // Without a listener a lost connection would end the process; the next request tries again.
  redis.on('error', () => undefined);
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: 'platen:rate',
    points: UNLIMITED,
    duration: WINDOW_SECONDS,
    rejectIfRedisNotReady: true,
  });
  return new RateLimitStore(limiter, async () => redis.disconnect());
}

/** Two connections of its own: counting must not wait for the pool that does the work. */
function inPostgres(connectionString: string | undefined): RateLimitStore {
  const pool = new pg.Pool({
    connectionString,
    max: 2,
    connectionTimeoutMillis: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    application_name: 'platen-rate-limit',
  });
  pool.on('error', () => undefined);
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    keyPrefix: 'rate',
    tableName: 'rate_limit',
    tableCreated: true,
    points: UNLIMITED,
    duration: WINDOW_SECONDS,
  });
  return new RateLimitStore(limiter, () => pool.end());
}
