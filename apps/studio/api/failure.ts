import type { Fault } from './shapes.js';

/** A refusal of the API, or that it could not be reached. The message is a sentence for people. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly details: unknown = null,
    /** Milliseconds after which it may be tried again. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }

  /** Fields at fault, by their dotted path. */
  get faults(): Fault[] {
    const isList = this.code === 'VALIDATION_ERROR' && Array.isArray(this.details);
    return isList ? (this.details as Fault[]) : [];
  }

  /** Nobody answered, or the one who did is not ready: the same request may do better later. */
  get isPassing(): boolean {
    return ['UNREACHABLE', 'SERVICE_UNAVAILABLE', 'RATE_LIMITED'].includes(this.code);
  }
}

/** A sentence for whatever was thrown. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Failure ? error.message : 'Something went wrong in this page.';
