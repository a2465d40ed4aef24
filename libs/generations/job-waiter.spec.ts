import { submitJob } from '../../test/factories/job.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { Ledger } from '#libs/credits/ledger.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { EventFeed } from '#libs/events/event-feed.js';
import { EventLog } from '#libs/events/event-log.js';
import { createEventBus } from '#libs/events/index.js';
import { testKeys } from '../../test/factories/keys.js';
import { JobTransactions } from './job-transaction.js';
import { JobWaiter } from './job-waiter.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

describe(JobWaiter.name, () => {
  let test: TestDatabase;
  let bus: EventBus;
  let feed: EventFeed;
  let waiter: JobWaiter;

  beforeAll(async () => {
    test = await createTestDatabase();
    bus = createEventBus({ databaseUrl: test.url });
    await eventually(() => expect(bus.healthy()).toBe(true));
    const log = new EventLog(test.database, testKeys(test.database));
    feed = new EventFeed(bus, log, 300);
    waiter = new JobWaiter(feed, log);
  });
  afterEach(() => expect(feed.size).toBe(0));
  afterAll(async () => {
    feed.close();
    await bus.close();
    await test.close();
  });

  const end = (jobId: string, via: EventBus = bus) =>
    new JobTransactions(test.database, new Ledger(), via).change(jobId, async (change) => {
      change.job.failed = change.job.generations;
      change.finish();
    });

  it('returns as soon as the job ends', async () => {
    const { jobId } = await submitJob(test.database, { steps });
    const start = Date.now();
    const ended = waiter.wait(jobId, 20);
    setTimeout(() => void end(jobId), 100);
    expect(await ended).toBe(true);
    expect(Date.now() - start).toBeLessThan(10_000);
  });

  it('returns at once for a job that has ended', async () => {
    const { jobId } = await submitJob(test.database, { steps });
    await end(jobId);
    expect(await waiter.wait(jobId, 20)).toBe(true);
  });

  it('returns after the time, or when the client leaves', async () => {
    const { jobId } = await submitJob(test.database, { steps });
    expect(await waiter.wait(jobId, 0.2)).toBe(false);
    expect(await waiter.wait(jobId, 10, AbortSignal.timeout(100))).toBe(false);
  });

  it('notices an end whose message was lost', async () => {
    const { jobId } = await submitJob(test.database, { steps });
    const ended = waiter.wait(jobId, 20);
    await end(jobId, { publish: async () => undefined } as unknown as EventBus);
    expect(await ended).toBe(true);
  });
});
