import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import type { OutboundAnswer, OutboundClient, OutboundLimits, OutboundRequest } from '#libs/outbound/outbound-client.js';
import { ProviderError } from './provider.js';
import { membersOf } from './replicate-prediction.js';

export interface ReplicateCall {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  /** JSON, or a stream with a type of its own in `headers`. */
  body?: JsonObject | Readable;
  /** Names that a refusal of the input may be told with. */
  inputNames?: readonly string[];
  headersMs?: number;
  signal: AbortSignal;
}

/** Calls that change nothing are tried this often. */
const TRIES = 3;
const FIRST_DELAY_MS = 300;
const HEADERS_MS = 15_000;
const TOTAL_MS = 60_000;
const MAX_ANSWER_BYTES = 16 * 1024 ** 2;
/** What is waited for where the answer does not say how long, and what is believed at most. */
const RETRY_AFTER_MS = { default: 15_000, most: 5 * 60_000 };

/** Replicate's HTTP API: its token, its answers' meaning. Each fault is a `ProviderError` in our own words. */
export class ReplicateApi {
  private readonly base: URL;

  constructor(
    private readonly client: OutboundClient,
    baseUrl: string,
    private readonly token: string | undefined,
  ) {
    const base = new URL(baseUrl);
    if (base.pathname === '/') base.pathname = '/v1';
    this.base = new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}/`);
  }

  /** Whether a URL is one of the API's own. */
  isOwn(url: URL): boolean {
    return url.origin === this.base.origin;
  }

  /**
   * Whether it is a file that the API keeps. No other URL that a model names is shown the token: by it the
   * API tells all that the account's other users asked for.
   */
  isOwnFile(url: URL): boolean {
    if (!this.isOwn(url) || !url.pathname.startsWith(this.base.pathname)) return false;
    return /^files\/[\w.-]+(\/download)?$/.test(url.pathname.slice(this.base.pathname.length));
  }

  /** One call, one try: what is not known to have happened is the caller's to find out. */
  async call(path: string, { method = 'GET', headers, body, inputNames = [], signal, headersMs }: ReplicateCall): Promise<Json> {
    const isStream = body !== undefined && 'pipe' in body;
    const answer = await this.request(new URL(path, this.base).href, {
      method,
      headers: { accept: 'application/json', ...(!isStream && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isStream ? (body as Readable) : JSON.stringify(body) }),
      maxBytes: MAX_ANSWER_BYTES, headersMs: headersMs ?? HEADERS_MS, totalMs: TOTAL_MS, maxRedirects: 0, signal,
    });
    const json = parsed(await buffer(answer.body).catch(unavailable));
    if (answer.status >= 200 && answer.status < 300 && json !== undefined) return json;
    throw faultOf(answer, json, inputNames);
  }

  /** As `call`, repeated while Replicate is away: for what may be asked any number of times. */
  async read(path: string, signal: AbortSignal): Promise<Json> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.call(path, { signal });
      } catch (error) {
        const again = error instanceof ProviderError && ['unavailable', 'throttled'].includes(error.fault);
        if (!again || tries === TRIES) throw error;
        const wait = Math.min(error.retryAfterMs ?? 0, 5_000);
        await sleep(Math.max(wait, FIRST_DELAY_MS * 2 ** tries), undefined, { signal });
      }
    }
  }

  /** A file, with the token where the API keeps it. A redirect to another origin does not get it. */
  async file(url: string, from: number, signal: AbortSignal, limits: Partial<OutboundLimits>): Promise<OutboundAnswer> {
    const request = { signal, ...limits, ...(from > 0 && { headers: { range: `bytes=${from}-` } }) };
    const answer = this.isOwnFile(new URL(url))
      ? await this.request(url, request)
      : await this.client.request(url, request).catch(unavailable);
    if (answer.status === 200 || answer.status === 206) return answer;
    answer.body.destroy();
    throw faultOf(answer, undefined, []);
  }

  private request(url: string, { headers, ...request }: OutboundRequest): Promise<OutboundAnswer> {
    if (this.token === undefined) {
      throw new ProviderError('refused', 'Replicate is not set up: REPLICATE_API_TOKEN is missing');
    }
    const authorization = `Bearer ${this.token}`;
    return this.client.request(url, { ...request, headers: { ...headers, authorization } }).catch(unavailable);
  }
}

function unavailable(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error;
  if (error.permanent) throw new ProviderError('answer', `Replicate gave nothing that can be used: ${error.message}`);
  throw new ProviderError('unavailable', 'Replicate could not be reached');
}

function parsed(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    return undefined;
  }
}

function faultOf(
  { status, headers }: Pick<OutboundAnswer, 'status' | 'headers'>,
  json: Json | undefined,
  inputNames: readonly string[],
): ProviderError {
  const { detail } = membersOf(json);
  const text = typeof detail === 'string' ? detail : '';
  if (status === 429) return new ProviderError('throttled', 'Replicate takes no more requests now', retryAfter(headers, text));
  if (status === 400 || status === 422) return new ProviderError('input', refusalOf(json, text, inputNames));
  if (status === 404 || status === 410) return new ProviderError('missing', 'Replicate does not have it');
  if (status === 402) return new ProviderError('refused', "The operator's account at Replicate has no credit left");
  if (status === 401 || status === 403) return new ProviderError('refused', "Replicate refuses the operator's token");
  if (status === 408 || status >= 500) return new ProviderError('unavailable', `Replicate answered with status ${status}`);
  return new ProviderError('answer', `Replicate answered with status ${status}`);
}

/** `Retry-After` in seconds or as a date, else the seconds of "Your rate limit resets in ~30s". */
export function retryAfter(headers: IncomingHttpHeaders, detail: string, now: number = Date.now()): number {
  const header = headers['retry-after'] ?? '';
  const seconds = /^\d{1,6}$/.test(header) ? header : /(\d{1,5})\s?s/.exec(detail)?.[1];
  const date = header === '' ? NaN : Date.parse(header) - now;
  const milliseconds = seconds !== undefined ? Number(seconds) * 1000 : date;
  return Math.min(RETRY_AFTER_MS.most, milliseconds > 0 ? milliseconds : RETRY_AFTER_MS.default);
}

/** Only names that the request itself has are told of what Replicate says about its input. */
function refusalOf(json: Json | undefined, detail: string, inputNames: readonly string[]): string {
  const { invalid_fields } = membersOf(json);
  const fields = Array.isArray(invalid_fields) ? invalid_fields.map((each) => String(membersOf(each)['field'])) : [];
  const named = new Set([...fields, ...detail.split(/[\s:,]+/)].map((field) => field.replace(/^input\./, '')));
  const refused = inputNames.filter((name) => named.has(name));
  return refused.length === 0
    ? 'Replicate refuses the model or its input'
    : `The model refuses ${refused.map((name) => `input.${name}`).join(', ')}`;
}
