import { PlatenError, type FailureCode } from './platen-error.js';
import { retryAfterOf } from './retries.js';

const NO_CONTENT = 204;

/** What the API puts around every answer that is JSON. */
interface Envelope {
  success: boolean;
  data: unknown;
  error: string;
  code: FailureCode;
  details?: unknown;
}

/** `data` of a success; undefined of one without content. Throws `NOT_PLATEN` where it is none of Platen's. */
export async function dataOf<Data>(response: Response): Promise<Data> {
  if (response.status === NO_CONTENT) return undefined as Data;
  const envelope = envelopeIn(await response.text());
  if (envelope?.success !== true) throw notPlaten(response);
  return envelope.data as Data;
}

/** A stream of events, or the answer that there is nothing to tell. Throws `NOT_PLATEN` where it is something else. */
export async function streamOf(response: Response): Promise<Response> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (isStream || response.status === NO_CONTENT) return response;
  await response.body?.cancel();
  throw notPlaten(response);
}

export async function failureOf(response: Response): Promise<PlatenError> {
  const envelope = envelopeIn(await response.text());
  if (envelope?.success !== false) return notPlaten(response);
  const { code, error, details } = envelope;
  return new PlatenError(code, error, { ...circumstancesOf(response), details });
}

/** Of a success whose content is something else than was asked for: a proxy, say, that shows a page of its own. */
export const notPlaten = (response: Response): PlatenError =>
  new PlatenError('NOT_PLATEN', `${response.url} answered ${response.status}, but not as a Platen.`, circumstancesOf(response));

const circumstancesOf = ({ status, headers }: Response) =>
  ({ status, requestId: headers.get('x-request-id'), retryAfterMs: retryAfterOf(headers) });

function envelopeIn(text: string): Envelope | null {
  try {
    return JSON.parse(text) as Envelope | null;
  } catch {
    return null;
  }
}
