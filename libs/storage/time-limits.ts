/** How long a driver waits for its cloud. */
export interface TimeLimits {
  connectMs: number;
  /** Without a byte in either direction. */
  idleMs: number;
  /** Until the head of the answer, the time to send the body included. */
  answerMs: number;
}

export const TIME_LIMITS: TimeLimits = { connectMs: 5_000, idleMs: 20_000, answerMs: 300_000 };

/** Of one request, the first included; the delays between grow exponentially, with jitter. */
export const MAX_ATTEMPTS = 5;
