import { Failure } from './failure.js';
import { signOut, token } from './session.js';

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON, a form as it is. */
  body?: unknown;
  /** Makes a repeated request count once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

interface Envelope<Data> {
  success: boolean;
  data: Data;
  error: string | null;
  code?: string;
  details?: unknown;
}

const TRIES = 4;
const FIRST_PAUSE_MS = 400;

/**
 * `data` of the API's answer. Throws `Failure`. What may be repeated without harm (a GET, or what carries a key) is,
 * while nobody answers. A token that is refused ends the session.
 */
export async function ask<Data>(path: string, request: Request = {}): Promise<Data> {
  const tries = isRepeatable(request) ? TRIES : 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce<Data>(path, request);
    } catch (error) {
      const isPassing = error instanceof Failure && error.isPassing && !request.signal?.aborted;
      if (!isPassing || attempt >= tries) throw error;
      await pause(error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt, request.signal);
    }
  }
}

const isRepeatable = ({ method = 'GET', idempotencyKey }: Request): boolean =>
  method === 'GET' || idempotencyKey !== undefined;

async function askOnce<Data>(path: string, { method = 'GET', body, idempotencyKey, signal }: Request): Promise<Data> {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: {
      ...authorization(),
      ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Failure('Platen cannot be reached.', 'UNREACHABLE');
  });
  return dataOf<Data>(response);
}

/** Of an answer in the API's envelope. */
export async function dataOf<Data>(response: Response): Promise<Data> {
  const envelope = (await response.json().catch(() => null)) as Envelope<Data> | null;
  if (envelope?.success) return envelope.data;
  if (response.status === 401) signOut();
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  throw new Failure(
    envelope?.error ?? 'Platen gave no answer that can be read.',
    envelope?.code ?? 'UNREACHABLE',
    envelope?.details,
    Number.isFinite(seconds) ? seconds * 1_000 : null,
  );
}

export const authorization = (): Record<string, string> =>
  token.value === null ? {} : { authorization: `Bearer ${token.value}` };

/** Resolves early when `signal` aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
