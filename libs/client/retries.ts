import type { PlatenError } from './platen-error.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** Of servers in front of Platen, or of Platen while its database is away: they may say something else in a moment. */
const PASSING_STATUS = new Set([0, 502, 503, 504]);

/**
 * How long to wait before a request is sent again; undefined: there is no point in it. A request that may have had
 * an effect is `repeatable` only where a second one has none; one that was refused for its rate had none.
 */
export function pauseAfter(failure: PlatenError, repeatable: boolean, attempt: number): number | undefined {
  const { status, code, retryAfterMs } = failure;
  const isPassing = PASSING_STATUS.has(status) && code !== 'UPSTREAM_ERROR';
  if (!isPassing && retryAfterMs === undefined) return undefined;
  if (!repeatable && status !== 429) return undefined;
  return Math.max(retryAfterMs ?? 0, backoff(attempt, LONGEST_PAUSE_MS));
}

/** Twice as long each time, up to `longestMs`, and half of it by chance: clients must not come back all at once. */
export function backoff(attempt: number, longestMs: number): number {
  const full = Math.min(longestMs, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return full * (0.5 + Math.random() / 2);
}

/** Timers of more than 31 bits go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Rejects with the signal's reason when it is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER_MS));
    if (signal.aborted) return wake();
    signal.addEventListener('abort', wake);
  });
}

/** Milliseconds that a `Retry-After` asks for, in seconds or as a date. */
export function retryAfterOf(headers: Headers): number | undefined {
  const header = headers.get('retry-after');
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
