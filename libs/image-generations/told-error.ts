export interface ToldError {
  code: string;
  message: string;
}

/** What became of a prediction, in our words and without anything of the operator's. */
const PLAIN = /^(The prediction (failed|was stopped at \w+|succeeded without an output|gave more than \d+ files)|The output of the prediction was removed before it was copied|The model gave (no image|something that is no image))$/;
const TIMES = new Set(['GENERATION_TIMEOUT', 'STEP_TIMEOUT', 'STEP_TIME_LIMIT']);
/** The provider's, or of what it gave. What the model refuses of its input is named by the input. */
const UPSTREAM = new Set(['UPSTREAM_ERROR', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']);

/**
 * A failed generation's error for its client: `UPSTREAM_ERROR` or, where the fault is on this side, `INTERNAL_ERROR`.
 * That the operator's account has no credit, or a token is wrong, is nobody else's affair.
 */
export function toldError(error: ToldError | null): ToldError {
  const { code, message } = error ?? { code: 'UPSTREAM_ERROR', message: '' };
  if (TIMES.has(code)) return { code: 'UPSTREAM_ERROR', message: 'The provider took too long' };
  if (!UPSTREAM.has(code)) return { code: 'INTERNAL_ERROR', message: 'Internal server error' };
  const isPlain = code === 'VALIDATION_ERROR' || PLAIN.test(message);
  return { code: 'UPSTREAM_ERROR', message: isPlain ? message : 'The provider failed' };
}
