import { PassThrough } from 'node:stream';
import { showEditions } from './edition-bars.js';

const editions = [0, 1, 2].map((index) => ({ index, hash: `oo${index}aaaaaaaaaaaa` }));

/** What a terminal of so many rows shows in the end; null: a file. */
function shown(rows: number | null): string {
  const output = Object.assign(new PassThrough(), rows === null ? {} : { isTTY: true, rows, columns: 100 });
  const bars = showEditions(editions, output as unknown as NodeJS.WriteStream);
  bars.update(0, 100, 'done');
  bars.update(1, 40, 'drawing');
  bars.update(1, 20, 'drawing');
  bars.update(2, 0, 'failed');
  bars.stop();
  return String(output.read());
}

describe('the bars of editions', () => {
  it('are one for each where they have room, and never go back', () => {
    const text = shown(40);
    expect(text).toMatch(/1 {2}oo0aaa…aaaa {2}━{32} {2}100 % {2}done/);
    expect(text).toMatch(/2 {2}oo1aaa…aaaa {2}━+─+ {3}40 % {2}drawing/);
    expect(text).not.toContain('20 %');
  });

  it('are one for all where they have none', () => {
    expect(shown(6)).toMatch(/2 of 3 {2}━+─+ {3}66 % {2}1 done, 1 failed/);
  });

  it('are lines in a file, one for each change', () => {
    expect(shown(null).trim().split('\n').map((line) => line.trim())).toEqual([
      '1  oo0aaa…aaaa  100 %  done', '2  oo1aaa…aaaa   40 %  drawing', '3  oo2aaa…aaaa    0 %  failed',
    ]);
  });
});
