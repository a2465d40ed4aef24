import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { eventually } from './eventually.js';

export interface ReceivedEvent {
  id: string | undefined;
  event: string | undefined;
  data: EventData;
}

/** What tests look at: fields of events and of snapshots. */
export interface EventData {
  job_id?: string;
  seq?: number;
  generations?: unknown[];
  jobs?: Array<{ id: string }>;
}

/** A reader of Server-Sent Events that, unlike a browser's, never reconnects on its own. */
export class EventReader {
  readonly received: ReceivedEvent[] = [];
  /** Milliseconds the server asked to wait before a reconnect. */
  retry: number | undefined;
  comments = 0;
  ended = false;

  private constructor(
    readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    const reader = new EventReader(response, abort);
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) void reader.read();
    else await response.arrayBuffer();
    return reader;
  }

  get status(): number {
    return this.response.status;
  }

  /** Ids of the events that carry one, without the snapshot. */
  get ids(): number[] {
    return this.received
      .filter(({ id, event }) => id !== undefined && event !== 'snapshot')
      .map(({ id }) => Number(id));
  }

  /** Waits until `count` events have come, and gives them. */
  async take(count: number, timeoutMs = 5_000): Promise<ReceivedEvent[]> {
    await eventually(() => expect(this.received.length).toBeGreaterThanOrEqual(count), timeoutMs);
    return this.received.slice(0, count);
  }

  async untilEnded(timeoutMs = 5_000): Promise<void> {
    await eventually(() => expect(this.ended).toBe(true), timeoutMs);
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ id, event, data }: EventSourceMessage) =>
        this.received.push({ id, event, data: JSON.parse(data) }),
      onRetry: (milliseconds) => (this.retry = milliseconds),
      onComment: () => (this.comments += 1),
    });
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body!) parser.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      // Cut, by the server or by `close`.
    }
    this.ended = true;
  }
}
