import { InvalidEnvironment } from '#libs/config/invalid-environment.js';
import { AppError } from '#libs/errors/app-error.js';
import { CommandFailure } from './command-failure.js';

/** Says on standard error what went wrong, and returns the exit code. A stack is shown for bugs only. */
export function report(error: unknown): number {
  const text = isExplained(error) ? error.message : ((error as Error)?.stack ?? String(error));
  process.stderr.write(`${text}\n`);
  return 1;
}

function isExplained(error: unknown): error is Error {
  return [CommandFailure, InvalidEnvironment, AppError].some((kind) => error instanceof kind);
}
