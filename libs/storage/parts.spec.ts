import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { partsOf, sendParts, type Part } from './parts.js';

async function partsFrom(pieces: string[]): Promise<Array<[string, number, boolean]>> {
  const parts: Array<[string, number, boolean]> = [];
  for await (const { bytes, offset, isLast } of partsOf(Readable.from(pieces), 4)) {
    parts.push([String(bytes), offset, isLast]);
  }
  return parts;
}

describe('parts of a stream', () => {
  it('are of one size but for the last, however the bytes come', async () => {
    expect(await partsFrom(['ab', 'cdefghijk', 'l', 'm'])).toEqual([
      ['abcd', 0, false], ['efgh', 4, false], ['ijkl', 8, false], ['m', 12, true],
    ]);
    expect(await partsFrom(['abcdefgh'])).toEqual([['abcd', 0, false], ['efgh', 4, true]]);
  });

  it('are one, and be it an empty one', async () => {
    expect(await partsFrom(['abc'])).toEqual([['abc', 0, true]]);
    expect(await partsFrom([])).toEqual([['', 0, true]]);
  });

  it('are sent one after another, the next two at most being read meanwhile', async () => {
    const events: string[] = [];
    let read = 0;
    const source = Readable.from((function* () {
      for (; read < 10; read++) yield 'abcd';
    })(), { highWaterMark: 1 });
    await sendParts(partsOf(source, 4), async ({ offset }: Part) => {
      events.push(`begin ${offset}`);
      await sleep(5);
      events.push(`end ${offset}`);
      expect(read).toBeLessThanOrEqual(offset / 4 + 5);
    });
    expect(events).toEqual(Array.from({ length: 10 }, (_, n) => [`begin ${n * 4}`, `end ${n * 4}`]).flat());
  });

  it('end with the first that cannot be sent', async () => {
    const sent: number[] = [];
    const sending = sendParts(partsOf(Readable.from(['abcdefghijklmnop']), 4), async ({ offset }) => {
      sent.push(offset);
      if (offset === 4) throw new Error('refused');
    });
    await expect(sending).rejects.toThrow('refused');
    expect(sent).toEqual([0, 4]);
  });
});
