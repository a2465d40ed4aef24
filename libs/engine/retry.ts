import type { FieldFault } from '#libs/errors/app-error.js';
import { NodeError } from '#libs/nodes/node.js';
import type { StepFailure } from './generation-store.js';
import { storableText } from './storable.js';

/** Attempts of one step in one run of a generation. */
export const MAX_ATTEMPTS = 3;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 5 * 60_000;
const MAX_MESSAGE_LENGTH = 2_000;

export interface FailureVerdict {
  failure: Omit<StepFailure, 'logs'>;
  /** Null: the step has failed for good. */
  retryInMs: number | null;
}

/**
 * Whether a failed attempt is tried again. An error that is the input's fault never is; the world's is,
 * after 1 s, 2 s, … with full jitter added, or when the service's `Retry-After` says.
 */
export function judge(error: unknown, failuresBefore: number, random: () => number = Math.random): FailureVerdict {
  const known = error instanceof NodeError ? error : UNKNOWN;
  const failure = failureOf(known);
  if (known.permanent || failuresBefore + 1 >= MAX_ATTEMPTS) return { failure, retryInMs: null };
  const backoff = FIRST_DELAY_MS * 2 ** failuresBefore * (1 + random());
  return { failure, retryInMs: Math.min(MAX_DELAY_MS, Math.max(backoff, known.retryAfterMs ?? 0)) };
}

/** The text of an unknown error may hold anything of the host, so it stays in the worker's log. */
const UNKNOWN = new NodeError('STEP_FAILED', 'The step failed unexpectedly', false);

const failureOf = ({ code, message, faults }: NodeError): FailureVerdict['failure'] => ({
  code,
  message: storableText(message.slice(0, MAX_MESSAGE_LENGTH)),
  ...(faults && { details: faults.map(storableFault) }),
});

const storableFault = ({ field, message }: FieldFault): FieldFault => ({
  field: storableText(field),
  message: storableText(message.slice(0, MAX_MESSAGE_LENGTH)),
});
