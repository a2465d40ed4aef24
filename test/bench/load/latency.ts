import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { request } from 'undici';
import { serveBench } from '../child.js';
import { percentile } from '../statistics.js';
import type { SubmitLoad } from './submitters.js';

/** One submission after another, each only when the one before has finished. */
export interface LatencyLoad extends Pick<SubmitLoad, 'url' | 'path' | 'callers' | 'body'> {
  requests: number;
  /** How a client hears that its job has ended. */
  hears: { stream: string } | { redisUrl: string; channel: string };
}

export interface LatencyResult {
  /** Milliseconds from sending the submission to hearing that its job has completed. */
  p50: number;
  p99: number;
}

const PATIENCE_MS = 30_000;

serveBench('to wait', measureLatency);

async function measureLatency(load: LatencyLoad): Promise<LatencyResult> {
  const ended = new Endings();
  const stopListening = await listen(load, (jobId) => ended.note(jobId));
  const latencies: number[] = [];
  for (let count = 0; count < load.requests; count++) {
    const before = performance.now();
    await ended.of(await submit(load));
    latencies.push(performance.now() - before);
  }
  await stopListening();
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** Jobs that have ended: word of it may come before the answer to the submission. */
class Endings {
  private readonly known = new Set<string>();
  private waiting: { jobId: string; resolve: () => void } | undefined;

  note(jobId: string): void {
    this.known.add(jobId);
    if (this.waiting?.jobId === jobId) this.waiting.resolve();
  }

  of(jobId: string): Promise<void> {
    if (this.known.has(jobId)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Job ${jobId} has not completed`)), PATIENCE_MS);
      this.waiting = { jobId, resolve: () => (clearTimeout(late), resolve()) };
    });
  }
}

async function submit({ url, path, callers: [caller], body }: LatencyLoad): Promise<string> {
  const key = randomUUID();
  const { statusCode, body: answer } = await request(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...caller?.headers },
    body: JSON.stringify(caller?.body ? { ...body, ...caller.body, key } : body),
  });
  const text = await answer.text();
  if (statusCode !== 201) throw new Error(`${path} answered ${statusCode}: ${text}`);
  return (JSON.parse(text) as { data: { job_id: string } }).data.job_id;
}

async function listen(load: LatencyLoad, onEnd: (jobId: string) => void): Promise<() => Promise<void>> {
  const take = (text: string) => {
    const { type, job_id: jobId } = JSON.parse(text) as { type?: string; job_id?: string };
    if (type === 'job_completed' && jobId) onEnd(jobId);
  };
  return 'stream' in load.hears ? readStream(load, load.hears.stream, take) : subscribe(load.hears, take);
}

async function subscribe(
  { redisUrl, channel }: { redisUrl: string; channel: string },
  take: (text: string) => void,
): Promise<() => Promise<void>> {
  const redis = new Redis(redisUrl);
  redis.on('message', (_channel: string, text: string) => take(text));
  await redis.subscribe(channel);
  return async () => redis.disconnect();
}

async function readStream(
  { url, callers: [caller] }: LatencyLoad,
  path: string,
  take: (text: string) => void,
): Promise<() => Promise<void>> {
  const abort = new AbortController();
  const { body } = await request(new URL(path, url), {
    headers: { ...caller?.headers, accept: 'text/event-stream' }, signal: abort.signal, bodyTimeout: 0,
  });
  let rest = '';
  body.on('data', (piece: Buffer) => {
    const lines = (rest + piece.toString()).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) if (line.startsWith('data: ')) take(line.slice(6));
  });
  body.on('error', () => undefined);
  return async () => abort.abort();
}
