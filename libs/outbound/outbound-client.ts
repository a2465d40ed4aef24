import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { AllowedHosts } from './allowed-hosts.js';
import { ACCEPTED_ENCODINGS, decoderOf, limitedBody, tooLarge } from './limited-body.js';
import { OutboundError } from './outbound-error.js';
import { pinnedConnector, resolveName, type ResolveName } from './pinned-connector.js';
import { harmlessHeaders, requestHeaders } from './request-headers.js';
import { RequestHold } from './request-hold.js';
import { vettedUrl } from './vetted-url.js';

export interface OutboundLimits {
  /** From the first look at the URL to the last byte, redirects included. */
  totalMs: number;
  /** Until an answer's headers are there, for each hop. */
  headersMs: number;
  /** Of the body, decompressed. */
  maxBytes: number;
  /** Followed for GET and HEAD; a redirect of any other method is an answer like another. */
  maxRedirects: number;
}

export interface OutboundRequest extends Partial<OutboundLimits> {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  /** A stream is sent as it comes, once: whoever retries opens it anew. */
  body?: string | Uint8Array | Readable;
  signal?: AbortSignal;
}

export interface OutboundOptions {
  /** `ALLOWED_HOSTS`. */
  allowedHosts?: readonly string[];
  /** Ports that any host may be asked on. */
  ports?: readonly number[];
  resolve?: ResolveName;
  /** Certificates to trust in place of the usual ones. */
  ca?: string;
}

export interface OutboundAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where the redirects led. */
  url: string;
  /** Read it or destroy it. It fails with an OutboundError at the limits, with the signal's reason on abort. */
  body: Readable;
}

const LIMITS: OutboundLimits = {
  totalMs: 30_000, headersMs: 10_000, maxBytes: 32 * 1024 ** 2, maxRedirects: 5,
};
const MAX_HEADER_BYTES = 16 * 1024;
const CONNECTIONS_PER_HOST = 16;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * The one way to every address that a user has a say in. It reaches public hosts only, judged by the address
 * that is connected to, on each redirect anew; the operator may exempt hosts by name (`ALLOWED_HOSTS`). Time,
 * bytes and redirects are capped. Whatever fails is an `OutboundError` whose words a stranger may read.
 */
export class OutboundClient {
  private readonly allowed: AllowedHosts;
  private readonly agent: Agent;

  constructor({ allowedHosts, ports, resolve = resolveName, ca }: OutboundOptions = {}) {
    this.allowed = new AllowedHosts(allowedHosts, ports);
    this.agent = new Agent({
      connect: pinnedConnector(this.allowed, resolve, ca),
      connections: CONNECTIONS_PER_HOST,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: 1_000,
      keepAliveMaxTimeout: 10_000,
    });
  }

  /** Throws what `request` would throw at once, before it asks the DNS or anyone else. */
  check(text: string): void {
    vettedUrl(text, this.allowed);
  }

  /** Resolves when the answer's headers are there. Throws OutboundError, or the signal's reason. */
  async request(text: string, request: OutboundRequest = {}): Promise<OutboundAnswer> {
    const hold = new RequestHold(request.signal, request.totalMs ?? LIMITS.totalMs);
    try {
      return await this.follow(vettedUrl(text, this.allowed), request, hold);
    } catch (error) {
      hold.release();
      throw hold.reason(error);
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async follow(first: URL, request: OutboundRequest, hold: RequestHold): Promise<OutboundAnswer> {
    const { method = 'GET', maxRedirects = LIMITS.maxRedirects } = request;
    let [url, headers] = [first, requestHeaders(request.headers)];
    for (let hops = 0; ; hops++) {
      const answer = await this.send(url, method, headers, request, hold);
      const next = method === 'GET' || method === 'HEAD' ? redirectOf(answer, url) : undefined;
      if (next === undefined || maxRedirects === 0) return this.answerOf(answer, url, request, hold);
      answer.body.on('error', () => undefined).destroy();
      if (hops === maxRedirects) {
        throw new OutboundError('redirects', `It redirects more than ${maxRedirects} times`);
      }
      const target = vettedUrl(next.href, this.allowed);
      if (target.origin !== url.origin) headers = harmlessHeaders(headers);
      url = target;
    }
  }

  private send(
    url: URL,
    method: Dispatcher.HttpMethod,
    headers: Record<string, string>,
    { body, headersMs = LIMITS.headersMs, totalMs = LIMITS.totalMs }: OutboundRequest,
    { signal }: RequestHold,
  ): Promise<Dispatcher.ResponseData> {
    return this.agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers, 'accept-encoding': ACCEPTED_ENCODINGS },
      body: body ?? null,
      signal,
      headersTimeout: headersMs,
      bodyTimeout: totalMs,
    });
  }

  private answerOf(
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
    url: URL,
    { maxBytes = LIMITS.maxBytes, method }: OutboundRequest,
    hold: RequestHold,
  ): OutboundAnswer {
    body.on('error', () => undefined);
    try {
      if (method !== 'HEAD' && Number(headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
      const decoder = decoderOf(method === 'HEAD' ? '' : String(headers['content-encoding'] ?? ''));
      const limited = limitedBody(body, decoder, maxBytes, () => hold.stopped());
      limited.once('close', () => hold.release());
      return { status, headers, url: url.href, body: limited };
    } catch (error) {
      body.destroy();
      throw error;
    }
  }
}

function redirectOf({ statusCode, headers }: Dispatcher.ResponseData, from: URL): URL | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(statusCode) || typeof location !== 'string') return undefined;
  if (!URL.canParse(location, from.href)) throw new OutboundError('redirects', 'It redirects to nowhere');
  return new URL(location, from.href);
}
