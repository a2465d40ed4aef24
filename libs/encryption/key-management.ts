import { AppError } from '#libs/errors/app-error.js';

/** A data key as rows keep it. */
export interface WrappedKey {
  /** Names the master key that it was wrapped under. */
  masterKey: string;
  wrapped: Buffer;
}

/**
 * Wraps data keys under a master key that it alone knows. `owner` is bound to it: a wrapped key that was moved to
 * another owner does not unwrap. Every driver passes `key-management.contract.ts`.
 */
export abstract class KeyManagement {
  /** The master key that new data keys are wrapped under. */
  abstract readonly masterKey: string;

  /** Throws `KeyUnavailable`. */
  abstract wrap(dataKey: Buffer, owner: string): Promise<WrappedKey>;

  /** What `wrap` was given, under a former master key as well. Throws `KeyUnavailable`. */
  abstract unwrap(key: WrappedKey, owner: string): Promise<Buffer>;
}

/** The key of a collection cannot be had: its master key is not configured here, or whoever holds it is away. */
export class KeyUnavailable extends AppError {
  constructor(
    /** For logs and operators. */
    readonly reason: string,
  ) {
    super('SERVICE_UNAVAILABLE', 503, 'The key of an encrypted collection cannot be had now', undefined, 5);
    this.name = 'KeyUnavailable';
  }
}
