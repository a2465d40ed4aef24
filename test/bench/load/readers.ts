import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { serveBench } from '../child.js';
import { median } from '../statistics.js';

/** One reader who asks for the same pages again and again, one at a time. */
export interface ReadLoad {
  url: string;
  headers: Record<string, string>;
  /** By the name of its figure. */
  pages: Record<string, ReadPage>;
  /** Of each page. */
  requests: number;
}

export interface ReadPage {
  path: string;
  headers?: Record<string, string>;
}

/** Milliseconds, median, by name. */
export type ReadResult = Record<string, number>;

serveBench('to read', readAll);

async function readAll({ url, headers, pages, requests }: ReadLoad): Promise<ReadResult> {
  const pool = new Pool(url, { connections: 1 });
  const times = Object.fromEntries(Object.keys(pages).map((name): [string, number[]] => [name, []]));
  for (let count = 0; count < requests; count++) {
    for (const [name, page] of Object.entries(pages)) {
      times[name]?.push(await timeOf(pool, page.path, { ...headers, ...page.headers }));
    }
  }
  await pool.close();
  return Object.fromEntries(Object.entries(times).map(([name, taken]) => [name, median(taken)]));
}

/** To the end of the answer or, of a stream, to its first piece. */
async function timeOf(pool: Pool, path: string, headers: Record<string, string>): Promise<number> {
  const before = performance.now();
  const abort = new AbortController();
  const { statusCode, body, headers: answered } = await pool.request({ path, method: 'GET', headers, signal: abort.signal });
  body.on('error', () => undefined);
  if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}: ${await body.text()}`);
  if (answered['content-type']?.toString().startsWith('text/event-stream')) {
    await new Promise((resolve) => body.once('data', resolve));
    abort.abort();
  } else await body.text();
  return performance.now() - before;
}
