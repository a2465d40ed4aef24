/** The answer of a request under its `Idempotency-Key`, written together with what it tells of. */
export interface KeptAnswer {
  route: string;
  key: string;
  /** Keyed digest of what makes two requests the same. */
  fingerprint: string;
  status: number;
  /** The whole envelope. */
  body: string;
}
