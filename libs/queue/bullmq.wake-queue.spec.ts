import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testRedisUrl } from '../../test/setup/redis.js';
import { createWakeQueue } from './index.js';
import { describeWakeQueue } from './wake-queue.contract.js';

const redisUrl = testRedisUrl();

(redisUrl ? describe : describe.skip)('with Redis', () => {
  describeWakeQueue('Redis', () => createWakeQueue({ redisUrl, databaseUrl: '', prefix: `{${randomUUID()}}` }));
});

describe('without Redis', () => {
  let postgres: TestDatabase;

  beforeAll(async () => {
    postgres = await createTestDatabase();
  });
  afterAll(() => postgres.close());

  describeWakeQueue('Postgres', async () => {
    const queue = await createWakeQueue({ databaseUrl: postgres.url });
    for (const lane of queue.queues()) await lane.obliterate({ force: true });
    return queue;
  });

  it('lets several processes prepare the schema at once', async () => {
    const fresh = await createTestDatabase();
    const queues = await Promise.all([1, 2, 3].map(() => createWakeQueue({ databaseUrl: fresh.url })));
    await Promise.all(queues.map((queue) => queue.close()));
    await fresh.close();
  });
});
