import type { DeliveryOutcome, DeliveryStatus } from './delivery.js';

/** What follows from an attempt. */
export interface DeliveryVerdict {
  status: DeliveryStatus;
  /** Of one that stays pending. */
  retryInMs: number | null;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** After each attempt that was not taken: nine attempts within a day. */
const DELAYS_MS = [
  5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 4 * HOUR, 8 * HOUR, 9 * HOUR,
];
/** Spreads what failed together. */
const JITTER = 0.1;
const MAX_RETRY_AFTER_MS = HOUR;
const GONE = 410;

/** Whether it is taken, wanted no more, tried again (and when), or given up. `tries` counts this attempt. */
export function judgeDelivery(
  { status, error, permanent, retryAfterMs = 0 }: DeliveryOutcome,
  tries: number,
  random: () => number = Math.random,
): DeliveryVerdict {
  if (error === null) return { status: 'delivered', retryInMs: null };
  if (status === GONE) return { status: 'disabled', retryInMs: null };
  const delay = DELAYS_MS[tries - 1];
  if (permanent || delay === undefined) return { status: 'failed', retryInMs: null };
  const jittered = delay * (1 - JITTER + 2 * JITTER * random());
  return { status: 'pending', retryInMs: Math.max(jittered, Math.min(MAX_RETRY_AFTER_MS, retryAfterMs)) };
}
