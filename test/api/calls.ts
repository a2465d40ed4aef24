import { setTimeout as delay } from 'node:timers/promises';

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  /** JSON or a form. A text is sent as it is, as JSON. */
  body?: unknown;
}

/** An answer's envelope, with what the tests take out of `data`. */
export interface Envelope {
  success: boolean;
  data: {
    id: string;
    job_id: string;
    collection_id: string;
    items: unknown[];
    next_cursor: string | null;
    token: string;
    key: string;
    url: string;
  };
  error: string | null;
  code?: string;
  details?: unknown;
}

export interface Answered {
  status: number;
  headers: Headers;
  /** Of an event stream: what comes at first. */
  text: string;
  /** Absent where the answer is no JSON. */
  json?: Envelope;
}

/** As long as an answer can be held, and some more. */
const TIMEOUT_MS = 65_000;
/** How long the first events of a stream may take. */
const FIRST_EVENTS_MS = 3_000;

/** Sends a request and reads the answer, of an event stream the snapshot. */
export async function call(
  url: string,
  { method = 'GET', headers = {}, body }: Call = {},
): Promise<Answered> {
  const isJson = body !== undefined && !(body instanceof FormData);
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
    body:
      isJson && typeof body !== 'string' ? JSON.stringify(body) : (body as FormData | string | undefined),
  });
  const { status } = response;
  const text = isStream(response) ? await firstEvents(response.body!) : await response.text();
  const isEnvelope = text !== '' && typeOf(response).startsWith('application/json');
  return {
    status,
    headers: response.headers,
    text,
    ...(isEnvelope && { json: JSON.parse(text) as Envelope }),
  };
}

/** `404 JOB_NOT_FOUND`, or the status alone. */
export const outcomeOf = ({ status, json }: Answered): string =>
  json?.code === undefined ? String(status) : `${status} ${json.code}`;

const typeOf = ({ headers }: Response): string => headers.get('content-type') ?? '';

/** HEAD has no body. */
const isStream = (response: Response): boolean =>
  typeOf(response).startsWith('text/event-stream') && response.body !== null;

async function firstEvents(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const late = delay(FIRST_EVENTS_MS, { done: true, value: '' } as const, { ref: false });
  let text = '';
  while (!text.includes('event: snapshot\ndata:') || !text.endsWith('\n\n')) {
    const { done, value } = await Promise.race([reader.read(), late]);
    text += value ?? '';
    if (done) break;
  }
  await reader.cancel();
  return text;
}
