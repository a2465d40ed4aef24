import { setTimeout as delay } from 'node:timers/promises';
import { Reading } from './reading.js';

describe('a reading', () => {
  it('is made once for all who ask at the same time, and not again for a while', async () => {
    let reads = 0;
    const reading = new Reading(200, async () => void (reads += 1), () => undefined);
    await Promise.all([reading.refresh(), reading.refresh(), reading.refresh()]);
    await reading.refresh();
    expect(reads).toBe(1);
    await delay(250);
    await reading.refresh();
    expect(reads).toBe(2);
  });

  it('that failed says that nothing is known, and is tried again when it is time, no sooner', async () => {
    const said: string[] = [];
    let isAway = true;
    const read = async () => {
      if (isAway) throw new Error('away');
      said.push('known');
    };
    const reading = new Reading(200, read, () => said.push('unknown'));
    await reading.refresh();
    isAway = false;
    await reading.refresh();
    expect(said).toEqual(['unknown', 'unknown']);
    await delay(250);
    await reading.refresh();
    expect(said).toEqual(['unknown', 'unknown', 'known']);
  });

  it('that hangs holds nobody up for long, nor is it begun twice', async () => {
    let [reads, forgotten] = [0, 0];
    let answer = () => {};
    const read = () => {
      reads += 1;
      return new Promise<void>((resolve) => (answer = resolve));
    };
    const reading = new Reading(60_000, read, () => void (forgotten += 1));
    const startedAt = Date.now();
    await Promise.all([reading.refresh(), reading.refresh()]);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect([reads, forgotten]).toEqual([1, 2]);
    answer();
    await reading.refresh();
    await reading.refresh();
    expect([reads, forgotten]).toEqual([1, 2]);
  });
});
