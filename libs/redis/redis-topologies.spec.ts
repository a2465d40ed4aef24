import { randomUUID } from 'node:crypto';
import { createRateLimitStore, type RateLimitStore } from '#apps/api/http/rate-limit.store.js';
import type { BusMessage, EventBus } from '#libs/events/event-bus.js';
import { createEventBus } from '#libs/events/index.js';
import { createServiceQueue, createWakeQueue } from '#libs/queue/index.js';
import type { WakeQueue, WakeUp } from '#libs/queue/wake-queue.js';
import { redisCheck } from '../../src/doctor/redis.check.js';
import { atRest, buildPatient } from '../../test/factories/patient.js';
import { eventually } from '../../test/setup/eventually.js';
import { canFormFleet, RedisFleet } from '../../test/setup/redis-fleet.js';

const PATIENCE_MS = 20_000;
const wakeUp = (): WakeUp => ({ lane: 'default', generationId: randomUUID(), dispatch: 1 });
const cancel = (): BusMessage => ({ kind: 'cancel', generationIds: [randomUUID()] });

/** Skipped, by name, where there is no redis-server of version 7 or newer. */
const describeWithRedis = canFormFleet() ? describe : describe.skip;

describeWithRedis.each([
  ['a cluster', () => RedisFleet.cluster(3)],
  ['a master that sentinels know', () => RedisFleet.sentinel()],
])('on %s', (name, create) => {
  let fleet: RedisFleet;
  let queue: WakeQueue;
  let bus: EventBus;
  let limits: RateLimitStore;
  const taken: WakeUp[] = [];
  const heard: BusMessage[] = [];

  beforeAll(async () => {
    fleet = await create();
    queue = await createWakeQueue({ redisUrl: fleet.url, databaseUrl: '' });
    queue.consume('default', 2, async (one) => void taken.push(one));
    bus = createEventBus({ redisUrl: fleet.url, databaseUrl: '' });
    bus.subscribe((message) => heard.push(message));
    limits = createRateLimitStore({ REDIS_URL: fleet.url });
  }, 60_000);
  afterAll(async () => {
    await queue?.close();
    await bus?.close();
    await limits?.close();
    await fleet?.close();
  }, 30_000);

  /** As the reconciler does: again and again. */
  const passesWakeUps = () => {
    const several = [wakeUp(), wakeUp(), wakeUp()];
    return eventually(async () => {
      await queue.wake(several);
      expect(taken).toEqual(expect.arrayContaining(several));
    }, PATIENCE_MS);
  };
  const passesEvents = () => {
    const message = cancel();
    return eventually(async () => {
      await bus.publish(message);
      expect(heard).toContainEqual(message);
      expect(bus.healthy()).toBe(true);
    }, PATIENCE_MS);
  };
  const counts = () => {
    const key = randomUUID();
    return eventually(async () => expect((await limits.increment(key, 60, 10)).totalHits).toBeGreaterThan(1), PATIENCE_MS);
  };

  it('passes wake-ups, events and counts, and the doctor finds each server', async () => {
    await passesWakeUps();
    await passesEvents();
    // Enough keys for every master.
    for (let times = 0; times < 12; times++) await counts();
    expect((await queue.memory())?.used).toBeGreaterThan(0);
    const findings = await redisCheck.examine(buildPatient({ REDIS_URL: fleet.url }), atRest);
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    expect(findings.filter(({ text }) => /^Redis \d/.test(text))).toHaveLength(name === 'a cluster' ? 3 : 1);
  }, 60_000);

  it('takes jobs of services', async () => {
    const services = createServiceQueue({ redisUrl: fleet.url, databaseUrl: '' });
    const token = randomUUID();
    const job = { token, service: 'echo', payload: {}, requirements: {}, priority: 50, userId: 'u', generationId: token };
    const reference = await services.add(job as never, { progress: () => undefined, ended: () => undefined });
    expect(await services.look(reference)).toMatchObject({ state: 'waiting' });
    await services.close();
  }, 30_000);

  if (name === 'a cluster') {
    it('goes on when every master has lost its keys', async () => {
      await fleet.each((node) => node.flushall());
      await passesWakeUps();
    }, 30_000);

    it('refuses to start when one of the masters may evict entries', async () => {
      await fleet.each((node, index) => index === 2 && node.config('SET', 'maxmemory-policy', 'allkeys-lru'));
      await expect(createWakeQueue({ redisUrl: fleet.url, databaseUrl: '' })).rejects.toThrow(/"allkeys-lru".*noeviction/);
    });
  } else {
    it('goes on at the replica when the master dies', async () => {
      await fleet.servers[0]!.kill();
      await passesWakeUps();
      await passesEvents();
      await counts();
    }, 90_000);
  }
});
