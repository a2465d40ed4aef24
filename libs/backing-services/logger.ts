import { DatabaseError } from 'pg';
import { destination, pino, type Logger } from 'pino';
import type { Environment } from '#libs/config/environment.js';

/** Injection token of the process's logger. */
export const LOGGER = Symbol('LOGGER');

/**
 * Structured logs, one JSON line each, on stdout. Requests are logged without headers and bodies, errors
 * without their parameters: neither tokens nor prompts reach a log.
 */
export function createLogger({ LOG_LEVEL }: Pick<Environment, 'LOG_LEVEL'>): Logger {
  return pino(
    {
      level: LOG_LEVEL,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError, error: describeError },
      redact: { paths: ['*.authorization', '*.cookie', '*.token', '*.secret', '*.password'], censor: '[redacted]' },
    },
    // Lines that come while one is written go out together: a request waits for no write. The rest is flushed at exit.
    destination({ sync: false }),
  );
}

/** A failed query carries values in its message and details: only what is known to be harmless is taken over. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  // Postgres quotes values in what it says, and those may be anybody's.
  if (error instanceof DatabaseError || 'query' in error) {
    return { type: error.name, code: 'code' in error ? error.code : undefined };
  }
  const { name, message, stack } = error;
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  return { type: name, message, stack, ...('code' in error ? { code: error.code } : {}), ...cause };
}
