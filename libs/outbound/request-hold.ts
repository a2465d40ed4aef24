import { errors } from 'undici';
import { OutboundError } from './outbound-error.js';

/** What ends a request before its answer has come whole: the caller's signal or the time. */
export class RequestHold {
  private readonly cutOff = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(caller: AbortSignal | undefined, totalMs: number) {
    this.timer = setTimeout(() => this.cutOff.abort(tookTooLong()), totalMs).unref();
    this.signal = caller ? AbortSignal.any([caller, this.cutOff.signal]) : this.cutOff.signal;
  }

  release(): void {
    clearTimeout(this.timer);
  }

  /** Why it was ended, if it was. */
  stopped(): Error | undefined {
    return this.signal.aborted ? this.signal.reason : undefined;
  }

  /** What a stranger may know of a failure. The caller's own abort keeps its reason. */
  reason(error: unknown): unknown {
    return this.stopped() ?? (error instanceof OutboundError ? error : toldOf(error));
  }
}

const tookTooLong = () => new OutboundError('timeout', 'The host did not answer in time');

function toldOf(error: unknown): OutboundError {
  const isLate = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  if (isLate) return tookTooLong();
  if (error instanceof errors.HeadersOverflowError) {
    return new OutboundError('too_large', 'The headers of the answer are too large');
  }
  if (error instanceof errors.InvalidArgumentError) return new OutboundError('url', 'The request is malformed');
  return new OutboundError('unreachable', 'The host could not be reached');
}
