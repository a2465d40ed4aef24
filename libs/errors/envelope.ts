import type { ErrorCode } from './app-error.js';

/** The one shape of every JSON answer. */
export interface Success<Data> {
  success: true;
  data: Data;
  error: null;
}

export interface Failure {
  success: false;
  data: null;
  /** A sentence for people. */
  error: string;
  code: ErrorCode;
  details?: unknown;
}

/** An answer without data says `null`, so that the key is always there. */
export const successEnvelope = <Data>(data: Data): Success<Data> => ({
  success: true,
  data: data === undefined ? (null as Data) : data,
  error: null,
});

export const failureEnvelope = (failure: { code: ErrorCode; message: string; details?: unknown }): Failure => ({
  success: false,
  data: null,
  error: failure.message,
  code: failure.code,
  ...(failure.details === undefined ? {} : { details: failure.details }),
});
