import { Redis } from 'ioredis';
import { findTestRedis } from '../../../test/setup/redis-program.js';
import { submitJob } from '../../../test/factories/job.js';
import { buildStreams, type Streams } from '../../../test/factories/streams.js';
import { eventually } from '../../../test/setup/eventually.js';
import { PrivateRedis } from '../../../test/setup/private-redis.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

(findTestRedis() ? describe : describe.skip)('event streams when Redis fails', () => {
  let redis: PrivateRedis;
  let streams: Streams;

  beforeAll(async () => {
    redis = (await PrivateRedis.start())!;
    streams = await buildStreams({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await streams.close();
    await redis.kill();
  });

  it('go on without gap or repeat: late while it is away, live again once it is back', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const reader = await streams.open(job, 0);
    await streams.emit(job.jobId, 'node_started');
    await reader.take(2);
    await redis.kill();
    await eventually(() => expect(streams.bus.healthy()).toBe(false));
    await streams.emit(job.jobId, 'node_completed', 'node_started');
    await reader.take(4, 7_000);
    await redis.start();
    await eventually(() => expect(streams.bus.healthy()).toBe(true));
    await eventually(async () => {
      const before = reader.received.length;
      await streams.emit(job.jobId, 'node_completed');
      await eventually(() => expect(reader.received.length).toBeGreaterThan(before), 500);
    });
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    await streams.finish(job.jobId);
    await reader.untilEnded();
    expect(reader.ids).toEqual(reader.ids.map((_, index) => index + 1));
    expect(reader.received.at(-1)!.event).toBe('job_failed');
  }, 30_000);
});
