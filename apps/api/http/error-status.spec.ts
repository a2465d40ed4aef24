import { AppError } from '#libs/errors/app-error.js';
import * as factories from '#libs/errors/errors.js';
import { STATUS_OF } from './error-status.js';

type Factory = (...given: unknown[]) => unknown;

/** What a factory is given shows in sentences and details only; of these two it must be a list. */
const OF_LISTS = new Set(['validationError', 'modelUnavailable', 'notRepeatable']);
const failures = Object.entries(factories as Record<string, Factory>)
  .map(([name, make]) => make(OF_LISTS.has(name) ? [] : 'x', 'x'))
  .filter((made) => made instanceof AppError);

describe('STATUS_OF', () => {
  it.each(failures.map((failure) => [failure.code, failure.status]))('documents %s as it is answered: %i', (code, status) => {
    expect(STATUS_OF[code]).toBe(status);
  });

  it('is compared with nearly every code', () => {
    expect(new Set(failures.map(({ code }) => code)).size).toBeGreaterThan(20);
  });
});
