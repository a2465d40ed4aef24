import { createParser } from 'eventsource-parser';
import { Failure } from './failure.js';
import { authorization, dataOf, pause } from './request.js';

export interface StreamMessage {
  /** `snapshot`, or the type of an event. */
  event: string;
  id: string | undefined;
  data: unknown;
}

export interface StreamListener {
  onMessage: (message: StreamMessage) => void;
  /** Whether events come at present. */
  onConnected: (isConnected: boolean) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/** The server sends a comment every 15 s: so long without a byte, and the connection is dead. */
const SILENCE_MS = 40_000;

/**
 * Follows a stream of events until there is nothing more (204) or `signal` aborts. Lost connections are made again, a
 * little later each time, and go on after the last event that came: none is missed and none comes twice. Throws
 * `Failure` when the API refuses.
 */
export async function followEvents(path: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  const place: Place = { lastId: undefined, failures: 0 };
  while (!signal.aborted) {
    const hasEnded = await readOnce(path, place, listener, signal);
    listener.onConnected(false);
    if (hasEnded || signal.aborted) return;
    await pause(pauseAfter(place.failures), signal);
    place.failures += 1;
  }
}

/** Longer after each failure, and not the same for everyone who lost the same server. */
export const pauseAfter = (failures: number, chance = Math.random()): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.75 + chance / 2);

interface Place {
  lastId: string | undefined;
  failures: number;
}

/** One connection. True when there will be nothing more. */
async function readOnce(
  path: string, place: Place, listener: StreamListener, signal: AbortSignal,
): Promise<boolean> {
  const watch = watchSilence(signal);
  try {
    const response = await fetch(path, {
      headers: { ...authorization(), ...(place.lastId !== undefined && { 'last-event-id': place.lastId }) },
      signal: watch.signal,
    });
    if (response.status === 204) return true;
    if (!response.ok || !response.body) await dataOf(response);
    listener.onConnected(true);
    await readBody(response.body as ReadableStream<Uint8Array>, place, listener, watch.heard);
    return false;
  } catch (error) {
    // An API that stops answers 503, or nothing: that passes.
    if (error instanceof Failure && !error.isPassing) throw error;
    return false;
  } finally {
    watch.stop();
  }
}

async function readBody(
  body: ReadableStream<Uint8Array>, place: Place, { onMessage }: StreamListener, heard: () => void,
): Promise<void> {
  const parser = createParser({
    onEvent: ({ id, event = 'message', data }) => {
      onMessage({ event, id, data: JSON.parse(data) });
      Object.assign(place, { lastId: id ?? place.lastId, failures: 0 });
    },
  });
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    parser.feed(value);
  }
}

/** A signal that aborts with the outer one, or after a silence. */
function watchSilence(outer: AbortSignal) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  let timer = setTimeout(abort, SILENCE_MS);
  outer.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(abort, SILENCE_MS);
    },
    stop: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}
