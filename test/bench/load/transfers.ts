import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { request } from 'undici';
import { serveBench } from '../child.js';

/** Sends a file of so many bytes, or fetches one. */
export interface TransferLoad {
  url: string;
  headers: Record<string, string>;
  upload?: { bytes: number; multipart: boolean };
}

export interface TransferResult {
  bytes: number;
  seconds: number;
  /** Of an upload: where the file can be fetched. */
  url: string;
}

const BOUNDARY = 'the-boundary-of-the-benchmark';
/** Text, which is what clients may upload at this size. */
const PIECE = Buffer.from('A line of a large file, as long as all of its others are.\n'.repeat(1_130));

serveBench('to transfer', (load: TransferLoad) => (load.upload ? send(load, load.upload) : fetchAll(load)));

async function send({ url, headers }: TransferLoad, { bytes, multipart }: NonNullable<TransferLoad['upload']>): Promise<TransferResult> {
  const started = performance.now();
  const type = multipart ? { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } : {};
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { ...headers, ...type },
    body: Readable.from(multipart ? formOf(bytes) : pieces(bytes), { objectMode: false }),
    headersTimeout: 0,
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`${url} answered ${statusCode}: ${text}`);
  const { data } = JSON.parse(text) as { data: { url: string } };
  return { bytes, seconds: (performance.now() - started) / 1_000, url: data.url };
}

async function fetchAll({ url, headers }: TransferLoad): Promise<TransferResult> {
  const started = performance.now();
  const { statusCode, body } = await request(url, { headers, bodyTimeout: 0 });
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) bytes += piece.length;
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`);
  return { bytes, seconds: (performance.now() - started) / 1_000, url };
}

function* formOf(bytes: number): Generator<Buffer> {
  const head = 'content-disposition: form-data; name="file"; filename="large.txt"\r\ncontent-type: text/plain';
  yield Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`);
  yield* pieces(bytes);
  yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
}

function* pieces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PIECE.length) yield left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
}
