import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from '../../test/setup/eventually.js';
import { PrivateRedis } from '../../test/setup/private-redis.js';
import { findTestRedis } from '../../test/setup/redis-program.js';
import type { BullmqWakeQueue } from './bullmq.wake-queue.js';
import { createWakeQueue } from './index.js';
import { connectRedisBackend } from './redis-backend.js';
import type { WakeUp } from './wake-queue.js';

const wakeUp = (): WakeUp => ({ lane: 'default', generationId: randomUUID(), dispatch: 1 });

(findTestRedis() ? describe : describe.skip)('the wake queue when Redis fails', () => {
  let redis: PrivateRedis;
  let queue: BullmqWakeQueue | undefined;
  const taken: WakeUp[] = [];

  beforeEach(async () => {
    redis = (await PrivateRedis.start())!;
    taken.length = 0;
  });
  afterEach(async () => {
    await queue?.close();
    queue = undefined;
    await redis.kill();
  });

  const connect = async () => {
    queue = await createWakeQueue({ redisUrl: redis.url, databaseUrl: '' });
    queue.consume('default', 2, async (one) => void taken.push(one));
    return queue;
  };
  /** As the reconciler does: again and again. */
  const wakeUntilTaken = (one: WakeUp, timeoutMs: number) =>
    eventually(async () => {
      await queue!.wake([one]);
      expect(taken).toContainEqual(one);
    }, timeoutMs);

  it('goes on within 5 s of Redis being back after an outage of 8 s', async () => {
    await connect();
    await wakeUntilTaken(wakeUp(), 5_000);
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await redis.start();
    await wakeUntilTaken(wakeUp(), 5_000);
  }, 30_000);

  it('goes on after FLUSHALL', async () => {
    await connect();
    await wakeUntilTaken(wakeUp(), 5_000);
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    await wakeUntilTaken(wakeUp(), 5_000);
  });

  it('does not make the caller of wake wait or fail while Redis is away', async () => {
    await connect();
    await wakeUntilTaken(wakeUp(), 5_000);
    await redis.kill();
    const start = Date.now();
    for (let i = 0; i < 20; i++) await queue!.wake([wakeUp()]);
    expect(Date.now() - start).toBeLessThan(8_000);
  });

  it('starts without Redis, and works once there is one', async () => {
    await redis.kill();
    await connect();
    await queue!.wake([wakeUp()]);
    await redis.start();
    await wakeUntilTaken(wakeUp(), 5_000);
  });

  it('closes while Redis is away', async () => {
    await connect();
    await wakeUntilTaken(wakeUp(), 5_000);
    await redis.kill();
    const start = Date.now();
    await queue!.close();
    expect(Date.now() - start).toBeLessThan(8_000);
  }, 15_000);

  it('leaves a master that was made a replica for the one that its address leads to now', async () => {
    const backend = await connectRedisBackend(redis.url, '{role}', () => undefined);
    const { connection } = backend.queueOptions as { connection: Redis };
    const operator = new Redis(redis.url);
    await operator.replicaof('127.0.0.1', 1);
    const left = new Promise((resolve) => connection.once('close', () => resolve('left')));
    await expect(connection.set('a', 'b')).rejects.toThrow('READONLY');
    expect(await Promise.race([left, delay(2_000)])).toBe('left');
    operator.disconnect();
    await backend.close();
  });

  it('refuses a Redis that may evict entries, and says how to put it right', async () => {
    await redis.kill();
    redis = (await PrivateRedis.start('--maxmemory-policy', 'allkeys-lru'))!;
    await expect(connect()).rejects.toThrow(/maxmemory-policy "allkeys-lru".*noeviction/);
  });

  it('warns of a Redis that comes back with another policy, and of one that does not tell it', async () => {
    const warnings: string[] = [];
    const backend = await connectRedisBackend(redis.url, '{settings}', ({ message }) => warnings.push(message));
    const operator = new Redis(redis.url);
    await operator.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => expect(warnings.join()).toContain('"allkeys-lru"'));
    await operator.acl('SETUSER', 'default', '-info');
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => expect(warnings.join()).toContain('does not tell'));
    operator.disconnect();
    await backend.close();
  });
});
