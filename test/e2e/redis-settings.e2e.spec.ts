import { Redis } from 'ioredis';
import { PrivateRedis } from '../setup/private-redis.js';
import { findTestRedis } from '../setup/redis-program.js';
import type { Receipt } from './client.js';
import { formWorkflow, quickStep } from './pipelines.js';
import { PlatenProcesses } from './platen-processes.js';

/** Bytes that a Redis of nearly nothing but BullMQ's scripts has left for entries. */
const LITTLE = '4mb';

(findTestRedis() ? describe : describe.skip)('a Redis (skipped where there is none)', () => {
  let redis: PrivateRedis;
  let platen: PlatenProcesses;

  afterEach(async () => {
    await platen.close();
    await redis.kill();
  });

  it('that may drop entries keeps both roles from starting, and they say what to set', async () => {
    redis = (await PrivateRedis.start('--maxmemory-policy', 'allkeys-lru'))!;
    platen = await PlatenProcesses.prepare({ REDIS_URL: redis.url });
    for (const started of await Promise.allSettled([platen.api(), platen.worker()])) {
      expect(started).toMatchObject({ status: 'rejected' });
      const { message } = (started as PromiseRejectedResult).reason as Error;
      expect(message).toContain('(it ended with 1)');
      expect(message).toMatch(/maxmemory-policy "allkeys-lru".*Set it to "noeviction"/);
    }
  });

  it('that is full refuses entries, and submissions are taken and made all the same', async () => {
    redis = (await PrivateRedis.start('--maxmemory', LITTLE, '--maxmemory-policy', 'noeviction'))!;
    platen = await PlatenProcesses.prepare({ REDIS_URL: redis.url, LOG_LEVEL: 'error' });
    const [api] = await Promise.all([platen.api(), platen.worker()]);
    const artist = await platen.richClient(api, 10);
    const workflow = formWorkflow('quick', { base: 0, per_generation: 0.1 }, [quickStep('only')]);
    const { id } = await artist.create<{ id: string }>('/workflows', workflow);
    await fill(redis.url);
    const receipts = await Promise.all(
      Array.from({ length: 5 }, () =>
        artist.create<Receipt>('/api/collections/generate', { title: 'One', workflow_id: id }),
      ),
    );
    for (const { job_id: jobId } of receipts) {
      expect(await artist.ended(jobId)).toMatchObject({ status: 'completed', cost: { captured: 0.1 } });
    }
    expect(await artist.read('/health/ready')).toEqual({ status: 'ready', degraded: [] });
  });
});

/** Writes until Redis takes nothing more. */
async function fill(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    for (let index = 0; index < 100_000; index++) await client.set(`filler:${index}`, 'x'.repeat(1_000));
    throw new Error('Redis was never full');
  } catch (error) {
    expect(String(error)).toContain('OOM');
  } finally {
    client.disconnect();
  }
}
