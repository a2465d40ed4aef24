import { randomUUID } from 'node:crypto';
import { findTestRedis } from '../../test/setup/redis-program.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { PrivateRedis } from '../../test/setup/private-redis.js';
import { testRedisUrl } from '../../test/setup/redis.js';
import { describeEventBus } from './event-bus.contract.js';
import type { BusMessage, EventBus } from './event-bus.js';
import { createEventBus } from './index.js';

const redisUrl = testRedisUrl();
const cancel = (): BusMessage => ({ kind: 'cancel', generationIds: [randomUUID()] });

/** Publishes until a message arrives: what is sent during an outage is lost, and may be. */
async function expectToPass(bus: EventBus): Promise<void> {
  const received: BusMessage[] = [];
  const stop = bus.subscribe((message) => received.push(message));
  await eventually(async () => {
    await bus.publish(cancel());
    expect(received.length).toBeGreaterThan(0);
  });
  stop();
}

(redisUrl ? describe : describe.skip)('with Redis', () => {
  const prefix = `{${randomUUID()}}`;
  describeEventBus('Redis', () => createEventBus({ redisUrl, databaseUrl: '', prefix }));
});

(findTestRedis() ? describe : describe.skip)('when Redis fails', () => {
  it('says so, drops messages without waiting, and heals by itself', async () => {
    const redis = (await PrivateRedis.start())!;
    const bus = createEventBus({ redisUrl: redis.url, databaseUrl: '' });
    await expectToPass(bus);
    await redis.kill();
    await eventually(() => expect(bus.healthy()).toBe(false));
    const start = Date.now();
    await bus.publish(cancel());
    expect(Date.now() - start).toBeLessThan(2_000);
    await redis.start();
    await expectToPass(bus);
    expect(bus.healthy()).toBe(true);
    await bus.close();
    await redis.kill();
  });
});

describe('without Redis', () => {
  let postgres: TestDatabase;

  beforeAll(async () => {
    postgres = await createTestDatabase();
  });
  afterAll(() => postgres.close());

  const create = () => createEventBus({ databaseUrl: postgres.url });
  describeEventBus('Postgres', create);

  it('heals by itself when its connection is cut', async () => {
    const bus = create();
    await expectToPass(bus);
    const cut = await postgres.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'platen-events' and datname = current_database()`,
    );
    expect(cut).toHaveLength(1);
    await expectToPass(bus);
    await bus.close();
  });
});
