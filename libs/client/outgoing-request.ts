import { KEYED_POSTS } from './keyed-posts.js';

/** Of one call. */
export interface RequestOptions {
  query?: object;
  /** A form or a text goes as it is, all else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** In place of one made by chance: for a call that may be repeated by another process, or after a restart. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** A request as it is sent, as often as it takes. */
export interface OutgoingRequest {
  method: string;
  address: URL;
  headers: Headers;
  body: FormData | string | null;
  /** Whether a second one has no effect more than the first. */
  repeatable: boolean;
}

const KEYED = KEYED_POSTS.map((path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`));

/** Puts a request together. A POST that takes an `Idempotency-Key` gets one. */
export function outgoingRequest(method: string, address: URL, options: RequestOptions): OutgoingRequest {
  const headers = new Headers(options.headers);
  const isJson = options.body !== undefined && !isText(options.body);
  if (isJson && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const isKeyed = takesKey(method, address);
  const key = options.idempotencyKey ?? headers.get('idempotency-key') ?? (isKeyed ? newIdempotencyKey() : null);
  if (key !== null) headers.set('idempotency-key', key);
  return {
    method, headers,
    address: withQuery(address, options.query ?? {}),
    body: isJson ? JSON.stringify(options.body) : ((options.body ?? null) as FormData | string | null),
    repeatable: method !== 'POST' || isKeyed,
  };
}

const takesKey = (method: string, { pathname }: URL): boolean =>
  method === 'POST' && KEYED.some((path) => path.test(pathname));

const isText = (body: unknown): boolean => typeof body === 'string' || body instanceof FormData;

function withQuery(address: URL, query: object): URL {
  for (const [name, value] of Object.entries(query) as Array<[string, unknown]>) {
    if (value !== undefined && value !== null) address.searchParams.append(name, String(value));
  }
  return address;
}

/** Of 128 bits, by chance. `randomUUID` is missing on pages that came by plain HTTP. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
