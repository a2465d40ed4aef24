import { findRedis } from '../../src/embedded/redis.js';

export function findOrInstallRedis(): string | undefined {
  return findRedis();
}
