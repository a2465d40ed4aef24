import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
const HEARTBEAT_MS = 15_000;
/** Milliseconds after which a browser reconnects. */
const RETRY_MS = 3_000;
/** A client that takes nothing for so long is cut off; it resumes where it was. */
const STALLED_MS = 15_000;
/** Characters of one turn of the event loop that go out together. */
const GATHERED_AT_MOST = 64 * 1_024;

export interface ServerSentEvent {
  /** Makes the event resumable. */
  id?: string;
  event: string;
  /** The data, as JSON. */
  json: string;
}

/**
 * One client's `text/event-stream`: writes no faster than the client reads, and keeps proxies awake. What is
 * sent in one turn of the event loop goes out in one write: the bus often brings many events at once.
 */
export class SseConnection {
  private readonly heartbeat: NodeJS.Timeout;
  private gathered = '';

  private constructor(
    private readonly raw: ServerResponse,
    private readonly stalledMs: number,
  ) {
    this.heartbeat = setInterval(() => {
      if (!this.congested) this.raw.write(':\n\n');
    }, HEARTBEAT_MS);
    this.heartbeat.unref();
    this.onClose(() => clearInterval(this.heartbeat));
    // Whatever the socket says, `close` follows.
    raw.on('error', () => undefined);
  }

  /** Takes the reply over from Fastify and begins the stream. */
  static open(reply: FastifyReply, stalledMs = STALLED_MS): SseConnection {
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': EVENT_STREAM,
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    reply.raw.write(`retry: ${RETRY_MS}\n\n`);
    return new SseConnection(reply.raw, stalledMs);
  }

  get closed(): boolean {
    return this.raw.destroyed || this.raw.writableEnded;
  }

  /** The client has not taken yet what was written last. */
  get congested(): boolean {
    return this.raw.writableNeedDrain;
  }

  onClose(listener: () => void): void {
    if (this.raw.destroyed) listener();
    else this.raw.once('close', listener);
  }

  /** Null when the client can take more at once; else resolves when it can, or is gone. */
  send({ id, event, json }: ServerSentEvent): Promise<void> | null {
    if (this.closed) return null;
    if (this.gathered === '') process.nextTick(() => this.flush());
    if (id !== undefined) this.gathered += `id: ${id}\n`;
    this.gathered += `event: ${event}\ndata: ${json}\n\n`;
    if (this.gathered.length < GATHERED_AT_MOST && !this.congested) return null;
    return this.flush() ? null : this.drained();
  }

  /** The server has said all. A client that does not take the rest is cut off. */
  end(graceMs = this.stalledMs): void {
    if (this.closed) return;
    this.flush();
    this.raw.end();
    const timer = setTimeout(() => this.destroy(), graceMs);
    this.onClose(() => clearTimeout(timer));
  }

  /** Cuts the client off; it comes back and resumes. */
  destroy(): void {
    this.raw.destroy();
  }

  /** Whether the client takes more. */
  private flush(): boolean {
    const text = this.gathered;
    this.gathered = '';
    return text === '' || this.closed || this.raw.write(text);
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.destroy(), this.stalledMs);
      const settle = () => {
        clearTimeout(timer);
        this.raw.off('drain', settle).off('close', settle);
        resolve();
      };
      this.raw.on('drain', settle).on('close', settle);
    });
  }
}
