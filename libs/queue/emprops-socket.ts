import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { WebSocket, type MessageEvent } from 'undici';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { within } from './deadline.js';
import { fractionOf, ServiceQueueUnavailable, type ServiceJobListener } from './service-queue.js';

const OPEN_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 2_000;
const MAX_FOLLOWED = 10_000;

/**
 * The origin queue's websocket: it tells of progress and ends, and takes cancels. Open while there is a job to
 * hear of. What is said while it is closed is missed, and found out by asking.
 */
export class EmpropsSocket {
  private readonly followed = new LRUCache<string, ServiceJobListener>({ max: MAX_FOLLOWED });
  private opening: Promise<WebSocket> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onError: (error: Error) => void,
  ) {}

  follow(job: string, listener: ServiceJobListener): void {
    const isNew = !this.followed.has(job);
    this.followed.set(job, listener);
    if (isNew) this.send({ type: 'subscribe_progress', job_id: job }).catch(() => this.reconnect());
  }

  async cancel(job: string): Promise<void> {
    this.followed.delete(job);
    await this.send({ type: 'cancel_job', job_id: job });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.followed.clear();
    this.opening?.then((socket) => socket.close(), () => undefined);
  }

  private async send(message: JsonObject): Promise<void> {
    try {
      this.opening ??= this.open();
      const socket = await within(OPEN_TIMEOUT_MS, this.opening);
      socket.send(JSON.stringify({ ...message, timestamp: Date.now() }));
    } catch (error) {
      this.onError(error as Error);
      throw new ServiceQueueUnavailable();
    }
  }

  private open(): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${this.url}/platen-${randomUUID()}`);
      socket.addEventListener('open', () => resolve(socket));
      socket.addEventListener('message', (event) => this.hear(event));
      socket.addEventListener('error', () => reject(new Error('The websocket of the queue cannot be opened')));
      socket.addEventListener('close', () => {
        this.opening = undefined;
        reject(new Error('The websocket of the queue was closed'));
        this.reconnect();
      });
    });
  }

  private reconnect(): void {
    if (this.closed || this.followed.size === 0 || this.retry) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      for (const job of this.followed.keys()) {
        this.send({ type: 'subscribe_progress', job_id: job }).catch(() => this.reconnect());
      }
    }, RECONNECT_MS).unref();
  }

  private hear({ data }: MessageEvent): void {
    const { type, job_id, progress } = messageIn(data);
    const listener = typeof job_id === 'string' ? this.followed.get(job_id) : undefined;
    if (!listener) return;
    const fraction = fractionOf(progress);
    if (type === 'update_job_progress' && fraction !== null) listener.progress(fraction);
    if (type !== 'complete_job' && type !== 'error') return;
    this.followed.delete(job_id as string);
    listener.ended();
  }
}

function messageIn(data: unknown): JsonObject {
  try {
    return Object(JSON.parse(String(data))) as JsonObject;
  } catch {
    return {};
  }
}
