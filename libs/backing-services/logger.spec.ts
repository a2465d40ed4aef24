import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { createLogger } from './logger.js';

const PROMPT = 'a portrait of my neighbour';

/** What a logger writes to stdout, as text. */
function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const logger = createLogger({ LOG_LEVEL: 'info' });
  const written: string[] = [];
  const stream = (logger as unknown as Record<symbol, { write(line: string): void }>)[pinoStream(logger)]!;
  const spy = jest.spyOn(stream, 'write').mockImplementation((line) => void written.push(line));
  write(logger);
  spy.mockRestore();
  return written.join('');
}

const pinoStream = (logger: object) =>
  Object.getOwnPropertySymbols(logger).find((symbol) => symbol.description === 'pino.stream') as symbol;

describe(createLogger.name, () => {
  it('keeps what a failed query carried to itself', () => {
    const cause = Object.assign(new Error(`invalid input: "${PROMPT}"`), { code: '22P02' });
    const error = new QueryFailedError(`insert into job values ('${PROMPT}')`, [PROMPT], cause);
    const lines = linesOf((logger) => logger.error({ err: error }, 'request failed'));
    expect(lines).not.toContain(PROMPT);
    expect(JSON.parse(lines)).toMatchObject({ msg: 'request failed', err: { code: '22P02' } });
  });

  it('keeps what Postgres quotes to itself', () => {
    const error = Object.assign(new DatabaseError(`invalid input: "${PROMPT}"`, 1, 'error'), {
      code: '22P02', detail: PROMPT,
    });
    const lines = linesOf((logger) => logger.error({ err: error }, 'request failed'));
    expect(lines).not.toContain(PROMPT);
    expect(JSON.parse(lines)).toMatchObject({ err: { code: '22P02' } });
  });

  it('keeps what an error carries beside its message to itself', () => {
    const error = Object.assign(new Error('refused'), { body: PROMPT, config: { headers: { authorization: PROMPT } } });
    const lines = linesOf((logger) => logger.warn({ err: error }, 'x'));
    expect(lines).not.toContain(PROMPT);
    expect(JSON.parse(lines).err).toMatchObject({ type: 'Error', message: 'refused', stack: expect.any(String) });
  });

  it('writes no credentials', () => {
    const headers = { authorization: 'Bearer secret', cookie: 'secret' };
    expect(linesOf((logger) => logger.info({ headers, key: { token: 'secret', password: 'secret' } }))).not.toContain('secret');
  });
});
