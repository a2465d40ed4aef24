import { Redis } from 'ioredis';
import { testRedisUrl } from './redis.js';

const redisUrl = testRedisUrl();

describe('testRedisUrl', () => {
  (redisUrl ? it : it.skip)('leads to a Redis that refuses keys rather than lose them', async () => {
    const redis = new Redis(redisUrl as string);
    try {
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    } finally {
      redis.disconnect();
    }
  });
});
