import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { notPlaten } from './answers.js';
import { PlatenError } from './platen-error.js';
import { backoff, pause, pauseAfter } from './retries.js';
import type { JobAnswer, JobEventAnswer } from './schema.js';
import type { Transport } from './transport.js';

/** An event of any stream. `id`: where a later stream goes on; events that are not recorded have none. */
export interface StreamEvent<Type extends string = string, Data = unknown> {
  type: Type;
  id?: string;
  data: Data;
}

type NodeProgress = Omit<JobEventAnswer, 'type' | 'seq'> & { type: 'node_progress' };

/** First the whole job, then what happens to it. */
export type JobStreamEvent =
  | StreamEvent<'snapshot', JobAnswer>
  | StreamEvent<'node_progress', NodeProgress>
  | StreamEvent<JobEventAnswer['type'], JobEventAnswer>;

export interface StreamOptions {
  /** Goes on after the event of this id. */
  after?: string | number;
  signal?: AbortSignal;
  /** How long to try to reach a server that is away. Default 5 minutes. */
  patienceMs?: number;
  /** Told when a connection stands, and when one is lost that another will take the place of. */
  onConnected?: (isConnected: boolean) => void;
}

/** Three of the comments that the server sends every 15 s. */
const SILENCE_MS = 45_000;
const LONGEST_PAUSE_MS = 3_000;
const PATIENCE_MS = 300_000;
const NO_CONTENT = 204;
/** After one of them the server ends the stream of a job. */
const FINAL = new Set(['job_completed', 'job_failed', 'job_cancelled']);
const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** How far a stream has been read, and how often in vain it was connected to since. */
interface Place {
  lastId: string;
  attempts: number;
}

/**
 * The events of a stream, each once and in order, over as many connections as it takes: every connection after the
 * first goes on behind the last event seen. Ends with its job; the streams of several jobs end by `signal` alone.
 */
export async function* followStream(
  transport: Transport,
  path: string,
  { after = '', signal, patienceMs = PATIENCE_MS, onConnected }: StreamOptions = {},
): AsyncGenerator<StreamEvent> {
  const stop = signal ? AbortSignal.any([transport.signal, signal]) : transport.signal;
  const place: Place = { lastId: String(after), attempts: 0 };
  for (;;) {
    const answer = await reach(transport, path, place, patienceMs, stop);
    if (answer.status === NO_CONTENT) return;
    onConnected?.(true);
    if (yield* readOn(answer, place)) return;
    onConnected?.(false);
    await pause(backoff(++place.attempts, LONGEST_PAUSE_MS), stop);
  }
}

/** Opens the stream where it was left, trying for as long as `patienceMs`. */
async function reach(
  transport: Transport,
  path: string,
  place: Place,
  patienceMs: number,
  stop: AbortSignal,
): Promise<Response> {
  const headers = { accept: 'text/event-stream', ...(place.lastId !== '' && { 'last-event-id': place.lastId }) };
  for (const since = Date.now(); ; ) {
    const answer = await transport.open(path, headers, stop);
    if (!(answer instanceof PlatenError)) return answer;
    const ms = pauseAfter(answer, true, ++place.attempts);
    if (ms === undefined || Date.now() - since + ms > patienceMs) throw answer;
    await pause(ms, stop);
  }
}

/** Passes on what one connection brings. True when nothing is to come: it ended after the last event of a job. */
async function* readOn(answer: Response, place: Place): AsyncGenerator<StreamEvent, boolean> {
  let last: StreamEvent | undefined;
  try {
    for await (const event of eventsOf(answer)) {
      Object.assign(place, { lastId: event.id ?? place.lastId, attempts: 0 });
      last = event;
      yield event;
    }
    return last !== undefined && isFinal(last);
  } catch (error) {
    if (error instanceof BrokenStream) return false;
    throw error instanceof SyntaxError ? notPlaten(answer) : error;
  }
}

/** A job that goes on after its end (it can be resumed) has more events, and its stream is not over. */
function isFinal({ type, data }: StreamEvent): boolean {
  return FINAL.has(type) || (type === 'snapshot' && ENDED.has(String((data as Partial<JobAnswer>).status)));
}

/** A connection that ended otherwise than by the server's will. */
class BrokenStream extends Error {}

/** The events of one connection. Throws `BrokenStream` when it breaks, or falls silent. */
async function* eventsOf({ body }: Response): AsyncGenerator<StreamEvent> {
  if (!body) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  try {
    for (;;) {
      const { done, value } = await nextOf(reader);
      if (done) return;
      parser.feed(value);
      yield* messages.splice(0).map(eventOf);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function eventOf({ event = 'message', id, data }: EventSourceMessage): StreamEvent {
  return { type: event, ...(id !== undefined && { id }), data: JSON.parse(data) as unknown };
}

async function nextOf(reader: ReadableStreamDefaultReader<string>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The stream fell silent.')), SILENCE_MS);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (error) {
    throw new BrokenStream('The stream broke.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
