import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/setup/eventually.js';
import type { WakeQueue, WakeUp } from './wake-queue.js';

/** What every backend of the queue guarantees. `create` makes an empty queue. */
export function describeWakeQueue(name: string, create: () => Promise<WakeQueue>): void {
  describe(`the wake queue on ${name}`, () => {
    let queue: WakeQueue;

    beforeEach(async () => {
      queue = await create();
    });
    afterEach(() => queue.close());

    const wakeUp = (change: Partial<WakeUp> = {}): WakeUp => ({
      lane: 'default',
      generationId: randomUUID(),
      dispatch: 1,
      ...change,
    });
    const collect = (concurrency = 1) => {
      const taken: WakeUp[] = [];
      const consumer = queue.consume('default', concurrency, async (one) => void taken.push(one));
      return { taken, consumer };
    };

    it('hands each wake-up to a consumer of its lane', async () => {
      const { taken } = collect();
      const rendering = wakeUp({ lane: 'chromium' });
      const mine = [wakeUp(), wakeUp({ dispatch: 7 })];
      await queue.wake([rendering, ...mine]);
      await eventually(() => expect(taken).toEqual(expect.arrayContaining(mine)));
      expect(taken).not.toContainEqual(rendering);
    });

    it('takes more wake-ups at once than fit one call of the backend', async () => {
      const { taken } = collect(10);
      const many = Array.from({ length: 1_200 }, () => wakeUp());
      await queue.wake(many);
      await eventually(() => expect(taken).toHaveLength(many.length), 15_000);
    });

    it('keeps a wake-up while nobody consumes', async () => {
      const waiting = wakeUp();
      await queue.wake([waiting]);
      const { taken } = collect();
      await eventually(() => expect(taken).toEqual([waiting]));
    });

    it('swallows no repeat of a wake-up that was done or failed', async () => {
      const taken: WakeUp[] = [];
      queue.consume('default', 1, async (one) => {
        taken.push(one);
        if (taken.length === 2) throw new Error('the worker broke');
      });
      const repeated = wakeUp();
      for (const times of [1, 2, 3]) {
        await eventually(async () => {
          await queue.wake([repeated]);
          expect(taken.length).toBeGreaterThanOrEqual(times);
        });
      }
    });

    it('delays a wake-up', async () => {
      const { taken } = collect();
      const start = Date.now();
      await queue.wake([wakeUp({ delayMs: 400 })]);
      await eventually(() => expect(taken).toHaveLength(1));
      expect(Date.now() - start).toBeGreaterThanOrEqual(390);
    });

    it('runs as many handlers at once as it was told', async () => {
      let running = 0;
      let most = 0;
      queue.consume('default', 3, async () => {
        most = Math.max(most, ++running);
        await delay(50);
        running -= 1;
      });
      await queue.wake(Array.from({ length: 12 }, () => wakeUp()));
      await eventually(() => expect(most).toBe(3));
    });

    it('takes nothing new when paused, and lets running handlers end', async () => {
      const taken: string[] = [];
      const consumer = queue.consume('default', 1, async ({ generationId }) => {
        taken.push(`begin ${generationId}`);
        await delay(200);
        taken.push(`end ${generationId}`);
      });
      const [first, second] = [wakeUp(), wakeUp()];
      await queue.wake([first]);
      await eventually(() => expect(taken).toHaveLength(1));
      await consumer.pause();
      await queue.wake([second]);
      await delay(400);
      expect(taken).toEqual([`begin ${first.generationId}`, `end ${first.generationId}`]);
    });

    it('drops wake-ups after it was closed, without an error', async () => {
      const other = await create();
      await other.close();
      await expect(other.wake([wakeUp()])).resolves.toBeUndefined();
    });
  });
}
