import { printLines, printTable } from './table.js';

const HOSTILE = '\x1b]52;c;cm0gLXJm\x07\x9b2J\u202etxt.exe';
const SEEN = '\\u001b]52;c;cm0gLXJm\\u0007\\u009b2J\\u202etxt.exe';

function printed(print: () => void): string {
  const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    print();
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

describe('what is printed', () => {
  it('shows escape sequences of others, and obeys none', () => {
    expect(printed(() => printLines([HOSTILE]))).toBe(`${SEEN}\n`);
    expect(printed(() => printTable(['name'], [[HOSTILE]]))).toBe(`name\n${SEEN}\n`);
  });

  it('as JSON stays what it was', () => {
    expect(JSON.parse(printed(() => printLines([JSON.stringify({ name: HOSTILE })])))).toEqual({ name: HOSTILE });
  });

  it('is one line for each row, of however many rows', () => {
    expect(printed(() => printTable(['name', ''], [['a\nb', 'c'], ['d', 'e']]))).toBe('name\na b   c\nd     e\n');
    const rows = Array.from({ length: 200_000 }, () => ['a']);
    expect(printed(() => printTable(['name'], rows))).toHaveLength('name\n'.length + 2 * rows.length);
  });
});
