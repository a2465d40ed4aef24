import { failureOf, streamOf } from './answers.js';
import { outgoingRequest, type OutgoingRequest, type RequestOptions } from './outgoing-request.js';
import { PlatenError } from './platen-error.js';
import { pause, pauseAfter } from './retries.js';

/** How to reach a Platen, and how patiently. */
export interface TransportOptions {
  /** Its address: `https://platen.example`. In a browser, on a page that it serves itself: `location.origin`. */
  url: string;
  /** An access token or an API key; a function is asked before every request, so that it can renew one. */
  token?: string | (() => string | Promise<string>);
  /** How long one attempt may take. Default 30 s. */
  timeoutMs?: number;
  /** How long a call may spend waiting between attempts. A server that asks for more is not waited for. Default 60 s. */
  patienceMs?: number;
  /** Breaks off everything that is under way. */
  signal?: AbortSignal;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch;
}

const TIMEOUT_MS = 30_000;
const PATIENCE_MS = 60_000;
const NEVER = new AbortController().signal;
/** What a header can carry; `fetch` would print all of one that it cannot. */
const TOKEN = /^[\x21-\x7e]+$/;

/** HTTP with patience: timeouts, retries that are safe, and failures as `PlatenError`. */
export class Transport {
  readonly signal: AbortSignal;

  constructor(private readonly options: TransportOptions) {
    this.signal = options.signal ?? NEVER;
  }

  /** What `read` makes of a success. Sends the request again, under the same key, where that is safe and may help. */
  async send<Result>(
    method: string,
    path: string,
    options: RequestOptions,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    const request = outgoingRequest(method, new URL(path, this.options.url), options);
    const signal = AbortSignal.any([this.signal, options.signal ?? NEVER]);
    let patience = this.options.patienceMs ?? PATIENCE_MS;
    for (let count = 1; ; count++) {
      const outcome = await this.attempt(request, signal, AbortSignal.timeout(options.timeoutMs ?? this.timeoutMs), read);
      if (!(outcome instanceof PlatenError)) return outcome;
      const ms = pauseAfter(outcome, request.repeatable, count);
      if (ms === undefined || ms > patience) throw outcome;
      patience -= ms;
      await pause(ms, signal);
    }
  }

  /** One attempt at a stream. It is as long in opening as any answer at most, and then stays open until `signal`. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response | PlatenError> {
    const request = outgoingRequest('GET', new URL(path, this.options.url), { headers });
    const opening = new AbortController();
    const tooLong = () => opening.abort(new DOMException('The stream took too long to open.', 'TimeoutError'));
    const timer = setTimeout(tooLong, this.timeoutMs);
    try {
      return await this.attempt(request, signal, opening.signal, streamOf);
    } finally {
      clearTimeout(timer);
    }
  }

  private get timeoutMs(): number {
    return this.options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Throws only what the caller has broken it off with, and where there is no token to send. */
  private async attempt<Result>(
    { method, address, headers, body }: OutgoingRequest,
    signal: AbortSignal,
    timeout: AbortSignal,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result | PlatenError> {
    signal.throwIfAborted();
    const fetch = this.options.fetch ?? globalThis.fetch;
    await this.authorize(address, headers);
    try {
      const response = await fetch(address, { method, headers, body, signal: AbortSignal.any([signal, timeout]) });
      return await (response.ok ? read(response) : failureOf(response));
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof PlatenError ? error : unanswered(address, error as Error);
    }
  }

  /** Files may lie elsewhere, where the token is nobody's business. */
  private async authorize({ origin }: URL, headers: Headers): Promise<void> {
    const { token, url } = this.options;
    if (token === undefined || origin !== new URL(url).origin) return;
    const given = (typeof token === 'function' ? await token() : token).trim();
    if (!TOKEN.test(given)) throw new PlatenError('UNAUTHENTICATED', 'The token has characters that no token has, such as spaces.');
    headers.set('authorization', `Bearer ${given}`);
  }
}

/** `fetch` says why in its cause. */
function unanswered({ origin }: URL, error: Error): PlatenError {
  if (error.name === 'TimeoutError') return new PlatenError('TIMEOUT', `${origin} took too long.`, { cause: error });
  const reason = (error.cause as Error | undefined)?.message || error.message;
  return new PlatenError('UNREACHABLE', `${origin} does not answer: ${reason}`, { cause: error });
}
