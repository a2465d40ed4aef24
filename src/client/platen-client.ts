import { setTimeout as delay } from 'node:timers/promises';
import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';
import { CommandFailure } from '../command-failure.js';
import { Refusal } from './refusal.js';

/** The envelope of every JSON answer. */
interface Envelope<Data> {
  success: boolean;
  data: Data;
  error: string | null;
  code?: string;
  details?: unknown;
}

export interface StreamedEvent<Data> {
  type: string;
  data: Data;
}

const TIMEOUT_MS = 30_000;
const RECONNECT_MS = 500;
/** Connections in a row that brought no event. */
const FRUITLESS_ATTEMPTS = 10;
const NO_CONTENT = 204;

/** Talks to a Platen as any client does: HTTP and Server-Sent Events. `stop` breaks off what is under way. */
export class PlatenClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly stop: AbortSignal,
  ) {}

  async get<Data>(path: string): Promise<Data> {
    return this.read<Data>(await this.fetch(path));
  }

  /** A form goes as `multipart/form-data`, all else as JSON. */
  post<Data>(path: string, body: object, headers: Record<string, string> = {}): Promise<Data> {
    return this.send('POST', path, body, headers);
  }

  put<Data>(path: string, body: object): Promise<Data> {
    return this.send('PUT', path, body);
  }

  private async send<Data>(method: string, path: string, body: object, headers = {}): Promise<Data> {
    const request = body instanceof FormData
      ? { method, headers, body }
      : { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    return this.read<Data>(await this.fetch(path, request));
  }

  async download(address: string): Promise<Buffer> {
    const answer = await this.fetch(address);
    if (!answer.ok) throw new CommandFailure(`${address} answered ${answer.status}.`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** The events of a job to its end; goes on after the last one seen when the connection breaks. */
  async *events<Data>(path: string): AsyncGenerator<StreamedEvent<Data>> {
    let lastId = '';
    for (let fruitless = 0; fruitless < FRUITLESS_ATTEMPTS; fruitless++) {
      const answer = await this.openStream(path, lastId);
      if (answer?.status === NO_CONTENT) return;
      for await (const message of messagesOf(answer)) {
        fruitless = 0;
        lastId = message.id ?? lastId;
        yield { type: message.event ?? 'message', data: JSON.parse(message.data) as Data };
      }
      await delay(RECONNECT_MS, undefined, { signal: this.stop });
    }
    throw new CommandFailure(`The events of ${path} cannot be read.`);
  }

  private async openStream(path: string, lastId: string): Promise<Response | undefined> {
    const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) };
    const answer = await this.fetch(path, { headers, signal: this.stop }).catch(() => undefined);
    if (answer && answer.status >= 400) await this.read(answer);
    return answer;
  }

  private async fetch(path: string, request: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(new URL(path, this.url), {
        signal: AbortSignal.any([this.stop, AbortSignal.timeout(TIMEOUT_MS)]),
        ...request,
        headers: { authorization: `Bearer ${this.token}`, ...request.headers },
      });
    } catch (error) {
      this.stop.throwIfAborted();
      throw new CommandFailure(`${this.url} does not answer: ${reasonOf(error)}`);
    }
  }

  private async read<Data>(answer: Response): Promise<Data> {
    const envelope = (await answer.json()) as Envelope<Data>;
    if (envelope.success) return envelope.data;
    throw new Refusal(answer.status, envelope.code, envelope.error ?? '', envelope.details);
  }
}

/** `fetch` says why in its cause. */
const reasonOf = (error: unknown): string =>
  ((error as Error).cause as Error | undefined)?.message || (error as Error).message;

/** The messages of a stream as far as it got. */
async function* messagesOf(answer: Response | undefined): AsyncGenerator<EventSourceMessage> {
  if (!answer?.body) return;
  const text = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  try {
    yield* text as unknown as AsyncIterable<EventSourceMessage>;
  } catch {
    // A broken connection ends the stream like any other end: the caller connects again.
  }
}
