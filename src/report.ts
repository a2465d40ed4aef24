import { InvalidEnvironment } from '#libs/config/invalid-environment.js';
import { AppError } from '#libs/errors/app-error.js';
import { PlatenError } from '#libs/client/index.js';
import { CommandFailure } from './command-failure.js';
import { refusalText } from './refusal-text.js';
import { printable } from './terminal-text.js';

/** Says on standard error what went wrong, and returns the exit code. A stack is shown for bugs only. */
export function report(error: unknown): number {
  process.stderr.write(`${printable(textOf(error))}\n`);
  return 1;
}

function textOf(error: unknown): string {
  if (error instanceof PlatenError) return refusalText(error);
  return isExplained(error) ? error.message : ((error as Error)?.stack ?? String(error));
}

function isExplained(error: unknown): error is Error {
  return [CommandFailure, InvalidEnvironment, AppError].some((kind) => error instanceof kind);
}
