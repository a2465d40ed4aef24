import type { Failure } from './schema.js';

/** What is wrong with one field of a request: its dotted path, and why. */
export interface FieldFault {
  field: string;
  message: string;
}

/** Codes of the API, and of what went wrong before it could answer. */
export type FailureCode = Failure['code'] | 'UNREACHABLE' | 'TIMEOUT' | 'NOT_PLATEN';

interface Circumstances {
  /** 0: there was no answer. */
  status?: number;
  details?: unknown;
  requestId?: string | null;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** Why a call has failed. `message` is a sentence for people; programs look at `code`. */
export class PlatenError extends Error {
  override readonly name = 'PlatenError';
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Of `INSUFFICIENT_CREDITS`: `{ required, available, cost_breakdown }`; see the API's documentation. */
  readonly details: unknown;
  /** `X-Request-Id`: what the server's logs call this request. */
  readonly requestId: string | null;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: FailureCode,
    message: string,
    { status = 0, details, requestId = null, retryAfterMs, cause }: Circumstances = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.details = details;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** Of a `VALIDATION_ERROR`: which fields are at fault. */
  get faults(): FieldFault[] {
    return this.code === 'VALIDATION_ERROR' && Array.isArray(this.details) ? (this.details as FieldFault[]) : [];
  }
}
