import { pino } from 'pino';
import { closeInOrder, type Closable } from './closing.js';

const logger = pino({ level: 'silent' });
const lines: string[] = [];
const service = (name: string, close: () => Promise<unknown> = async () => undefined): Closable => ({
  name,
  close: async () => {
    lines.push(`${name} begins`);
    await close();
    lines.push(`${name} ends`);
  },
});

describe(closeInOrder.name, () => {
  beforeEach(() => lines.splice(0));

  it('closes one after another', async () => {
    await closeInOrder([service('queue', () => new Promise(setImmediate)), service('database')], logger);
    expect(lines).toEqual(['queue begins', 'queue ends', 'database begins', 'database ends']);
  });

  it.each([
    ['rejects', async () => Promise.reject(new Error('gone'))],
    ['throws', () => { throw new Error('gone'); }],
  ])('goes on when one %s', async (_how, close) => {
    const failing = { name: 'queue', close: close as () => Promise<unknown> };
    await closeInOrder([failing, service('database')], logger);
    expect(lines).toEqual(['database begins', 'database ends']);
  });

  it('goes on when one hangs', async () => {
    jest.useFakeTimers();
    const closing = closeInOrder([service('queue', () => new Promise(() => undefined)), service('database')], logger);
    await jest.advanceTimersByTimeAsync(5_000);
    await closing;
    jest.useRealTimers();
    expect(lines).toEqual(['queue begins', 'database begins', 'database ends']);
  });
});
