import fc from 'fast-check';
import { parseByteRange } from './byte-range.js';

describe(parseByteRange, () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=0-', { start: 0, end: 9 }],
    ['bytes=3-5', { start: 3, end: 5 }],
    ['bytes=9-', { start: 9, end: 9 }],
    ['bytes=3-999', { start: 3, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-999', { start: 0, end: 9 }],
  ])('%s of ten bytes', (header, range) => expect(parseByteRange(header, 10)).toEqual(range));

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s of ten bytes is not to be had', (header) => {
    expect(parseByteRange(header, 10)).toBe('unsatisfiable');
  });

  it.each([undefined, '', 'bytes=', 'bytes=-', 'bytes=5-3', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b', 'bytes=0-1 x'])(
    '%j means the whole file',
    (header) => expect(parseByteRange(header, 10)).toBeNull(),
  );

  it('gives nothing of an empty file', () => {
    for (const header of ['bytes=0-', 'bytes=-1']) expect(parseByteRange(header, 0)).toBe('unsatisfiable');
  });

  it('never leaves the file', () => {
    const numbers = fc.option(fc.nat(), { nil: '' });
    fc.assert(
      fc.property(numbers, numbers, fc.nat(1_000), (first, last, size) => {
        const range = parseByteRange(`bytes=${first}-${last}`, size);
        if (range === null || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThanOrEqual(range.start);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });
});
