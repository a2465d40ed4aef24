import { Stopwatch } from './stopwatch.js';

const at = (second: number) => new Date(second * 1_000).toISOString();

describe('a stopwatch', () => {
  it('times from the first beginning to the end, once', () => {
    const watch = new Stopwatch();
    watch.begin('a', at(1));
    watch.begin('a', at(3));
    expect([watch.end('a', at(4)), watch.end('a', at(5))]).toEqual([3, undefined]);
  });

  it('times nothing whose beginning it did not see, and never less than nothing', () => {
    const watch = new Stopwatch();
    watch.begin('b', at(2));
    expect([watch.end('a', at(1)), watch.end('b', at(1))]).toEqual([undefined, 0]);
  });

  it('forgets what began first when too much never ends', () => {
    const watch = new Stopwatch();
    for (let id = 0; id <= 10_000; id++) watch.begin(String(id), at(1));
    expect([watch.end('0', at(2)), watch.end('1', at(2))]).toEqual([undefined, 1]);
  });
});
