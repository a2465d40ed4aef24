/** Every code an answer may carry (`code` of the envelope). Part of the public contract. */
export type ErrorCode =
  | 'VALIDATION_ERROR'
  | 'UNAUTHENTICATED'
  | 'INVALID_SIGNATURE'
  | 'INSUFFICIENT_CREDITS'
  | 'LIMIT_EXCEEDED'
  | 'STORAGE_QUOTA_EXCEEDED'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'WORKFLOW_NOT_FOUND'
  | 'PROJECT_NOT_FOUND'
  | 'COLLECTION_NOT_FOUND'
  | 'JOB_NOT_FOUND'
  | 'GENERATION_NOT_FOUND'
  | 'NOT_FOUND'
  | 'INVALID_JOB_STATUS'
  | 'INVALID_GENERATION_STATUS'
  | 'COLLECTION_NOT_PUBLISHABLE'
  | 'NAME_TAKEN'
  | 'ALREADY_PAUSED'
  | 'EDITIONS_EXHAUSTED'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'WORKFLOW_NOT_EXECUTABLE'
  | 'MODEL_UNAVAILABLE'
  | 'NOT_REPEATABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'RATE_LIMITED'
  | 'TOO_MANY_INFLIGHT'
  | 'UPSTREAM_ERROR'
  | 'SERVICE_UNAVAILABLE'
  | 'INTERNAL_ERROR';

/** One fault of a request: the dotted path of the field (`metadata.price`) and what is wrong with it. */
export interface FieldFault {
  field: string;
  message: string;
}

/**
 * A failure with a meaning for the client. Everything else that is thrown is a bug and leaves as
 * `INTERNAL_ERROR` without its text. Made by the factories of `errors.ts`.
 */
export class AppError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly status: number,
    message: string,
    readonly details?: unknown,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
    this.name = 'AppError';
  }
}
