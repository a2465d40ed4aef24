import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { serveBench } from '../child.js';
import { percentile } from '../statistics.js';

/** Who submits, and how: each client sends its next request when it has the answer to the last. */
export interface SubmitLoad {
  url: string;
  path: string;
  /** Clients use these in turn. */
  callers: Array<{ headers?: Record<string, string>; body?: object }>;
  body: object;
  clients: number;
  /** It ends by whichever comes first. */
  seconds?: number;
  requests?: number;
}

export interface SubmitResult {
  requests: number;
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/* The load generator, in a process of its own: its work must not be counted as the server's. */
serveBench('to submit', submitAll);

async function submitAll(load: SubmitLoad): Promise<SubmitResult> {
  const { clients, seconds = Infinity, requests = Infinity } = load;
  const pool = new Pool(load.url, { connections: clients, pipelining: 1, headersTimeout: 60_000 });
  const latencies: number[] = [];
  const started = performance.now();
  let sent = 0;
  const isOver = () => sent >= requests || performance.now() - started >= seconds * 1_000;
  const submitOnAndOn = async (client: number) => {
    const caller = load.callers[client % load.callers.length] ?? {};
    while (!isOver()) {
      sent += 1;
      const before = performance.now();
      await submit(pool, load, caller);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => submitOnAndOn(client)));
  const took = (performance.now() - started) / 1_000;
  await pool.close();
  return {
    requests: latencies.length, seconds: took, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99),
  };
}

async function submit(
  pool: Pool,
  { path, body }: SubmitLoad,
  caller: SubmitLoad['callers'][number],
): Promise<void> {
  const key = randomUUID();
  const answer = await pool.request({
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...caller.headers },
    // Platen takes the key from the header and refuses fields it does not know.
    body: JSON.stringify(caller.body ? { ...body, ...caller.body, key } : body),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 201) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
}
