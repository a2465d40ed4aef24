import type { Success } from '#libs/errors/envelope.js';

export { failureEnvelope, successEnvelope, type Failure, type Success } from '#libs/errors/envelope.js';

/** An answer whose text is fixed already (idempotent routes): sent as it is, byte for byte. */
export class Answer {
  constructor(
    readonly status: number,
    /** The whole envelope. */
    readonly text: string,
    readonly replayed = false,
  ) {}

  /** `data` of the envelope, for a handler that goes on with it. */
  data<Data>(): Data {
    return (JSON.parse(this.text) as Success<Data>).data;
  }
}
