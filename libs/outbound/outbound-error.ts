export type OutboundReason =
  /** Not a URL, or of a form that is never followed. */
  | 'url'
  /** The host is not a public one. */
  | 'address'
  | 'unreachable'
  | 'timeout'
  | 'too_large'
  | 'redirects'
  /** The answer's status is none of success, and will not be. */
  | 'status'
  /** What the answer holds is not what was asked for. */
  | 'content'
  /** What came is no HTTP answer, or not encoded as it says. */
  | 'answer';

/**
 * A request that was not made, or had no answer that can be used. The message is fit for a stranger: it
 * tells nothing of networks that only this machine reaches, so that no port can be felt out with it.
 */
export class OutboundError extends Error {
  constructor(
    readonly reason: OutboundReason,
    message: string,
  ) {
    super(message);
    this.name = 'OutboundError';
  }

  /** The same request will fail again. */
  get permanent(): boolean {
    return !['unreachable', 'timeout', 'answer'].includes(this.reason);
  }
}
