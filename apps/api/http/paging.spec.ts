import { AppError } from '#libs/errors/app-error.js';
import { readCursor, toPage, type CursorPart } from './paging.js';

const ID = '0193fd6c-0000-7000-8000-000000000001';
const rows = Array.from({ length: 3 }, (_, index) => ({ id: String(index + 1) }));
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe(toPage.name, () => {
  it('shows no more than the limit, and where to go on', () => {
    const page = toPage(rows, 2, ({ id }) => [id]);
    expect(page.items).toEqual(rows.slice(0, 2));
    expect(readCursor(page.next_cursor!, ['bigint'])).toEqual(['2']);
  });

  it.each([2, 3])('ends with the last row (%i)', (count) => {
    expect(toPage(rows.slice(0, count), 3, ({ id }) => [id]).next_cursor).toBeNull();
  });

  it('presents each row', () => {
    expect(toPage(rows, 1, ({ id }) => [id], ({ id }) => Number(id)).items).toEqual([1]);
  });
});

describe(readCursor.name, () => {
  it('is null on the first page', () => {
    expect(readCursor(undefined, ['uuid'])).toBeNull();
  });

  it.each([
    '2026-11-21 05:43:18.123456+00', '2026-11-21 05:43:18+00', '2024-02-29 23:59:59.9+05:30', '2026-11-21T05:43:18.123Z',
    '0099-01-01 00:00:00-14',
  ])('takes the time %s', (time) => {
    expect(readCursor(encode([time, ID]), ['time', 'uuid'])).toEqual([time, ID]);
  });

  it.each<[string, CursorPart]>([
    ['2026-02-30 00:00:00+00', 'time'],
    ['2026-13-01 00:00:00+00', 'time'],
    ['0000-01-01 00:00:00+00', 'time'],
    ['2026-11-21 05:43:18+17', 'time'],
    ['2026-11-21 25:00:00+00', 'time'],
    ['2026-11-21', 'time'],
    ['infinity', 'time'],
    ['now', 'time'],
    ['9223372036854775808', 'bigint'],
    ['-1', 'bigint'],
    ['1.5', 'bigint'],
    ['x', 'uuid'],
  ])('refuses %s, which the database would stumble over, as %s', (value, part) => {
    expect(() => readCursor(encode([value]), [part])).toThrow(AppError);
  });

  it.each([
    ['nothing', ''],
    ['no base64', '***'],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['no list', encode({ length: 1 })],
    ['no text', encode([1])],
    ['too few parts', encode([])],
    ['too many parts', encode(['1', '2'])],
  ])('refuses %s, naming the cursor', (_what, cursor) => {
    const details = [{ field: 'cursor', message: 'is not a cursor of this list' }];
    expect(() => readCursor(cursor, ['bigint'])).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR', details }));
  });
});
