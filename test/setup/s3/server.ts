import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { S3Storage } from '#libs/storage/s3.storage.js';
import type { S3Settings } from '#libs/storage/s3-client.js';
import { S3Bucket, S3Fault, type S3Object } from './bucket.js';
import { faultOfSignature } from './signature.js';

const BUCKET = 'platen';
const CREDENTIALS = { accessKeyId: 'platen-tests', secretAccessKey: 'a secret of the tests' };
const KEPT_HEADERS = ['content-type', 'cache-control', 'content-disposition'];

export interface S3Server {
  url: string;
  bucket: S3Bucket;
  objects: S3Bucket['objects'];
  /** What a process is told to use it. */
  variables: Record<string, string>;
  /** A driver for it; with another `endpoint`, by way of that. */
  storage(settings?: Partial<S3Settings>): S3Storage;
  close(): Promise<void>;
}

/**
 * The part of S3 that the driver speaks, on loopback and on the disk. Signatures, their expiry and the
 * digests of bodies are checked, objects change as a whole, uploads in parts end or are given up, as S3 does
 * it. (Of the servers on npm, those that run on Node 20 check no signatures of today's kind and keep what a
 * cut connection leaves.)
 */
export async function startS3Server(): Promise<S3Server> {
  const home = await mkdtemp(join(tmpdir(), 'platen-s3-'));
  const bucket = await S3Bucket.in(join(home, BUCKET));
  const server = createServer((request, response) => void answer(bucket, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    bucket,
    objects: bucket.objects,
    variables: {
      STORAGE_DRIVER: 's3',
      STORAGE_BUCKET: BUCKET,
      AWS_ENDPOINT_URL_S3: url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    storage: (settings) =>
      new S3Storage({ bucket: BUCKET, endpoint: url, credentials: CREDENTIALS, ...settings }),
    close: async () => {
      const closed = once(server, 'close');
      server.close().closeAllConnections();
      await closed;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function answer(bucket: S3Bucket, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const fault = faultOfSignature(request, CREDENTIALS);
    if (fault) throw new S3Fault(403, fault);
    await serve(bucket, request, response);
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    const { status, code } = error instanceof S3Fault ? error : { status: 500, code: 'InternalError' };
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
    response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

/** One request: its call is one of `CALLS`. */
interface Call {
  bucket: S3Bucket;
  key: string;
  query: URLSearchParams;
  uploadId: string;
  /** What the body must have, where it was signed. */
  digest: string;
  request: IncomingMessage;
  response: ServerResponse;
}

/** What the driver uses of S3; the rest is not there. */
const CALLS: Record<string, (call: Call) => Promise<unknown>> = {
  'GET object': give,
  'HEAD object': give,
  'GET bucket': async ({ bucket, query, response }) => response.end(listing(bucket, query)),
  'HEAD bucket': async ({ response }) => response.end(),
  'PUT object': async ({ bucket, key, request, digest, response }) =>
    tagged(response, await bucket.put(key, request, digest, keptHeaders(request))),
  'DELETE object': async ({ bucket, key, response }) => {
    await bucket.delete(key);
    response.writeHead(204).end();
  },
  'POST object': async ({ bucket, key, request, response }) => {
    const id = bucket.begin(key, keptHeaders(request));
    response.end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  },
  'PUT part': async ({ bucket, uploadId, query, request, digest, response }) =>
    tagged(response, await bucket.putPart(uploadId, Number(query.get('partNumber')), request, digest)),
  'POST part': async ({ bucket, uploadId, request, response }) => {
    const etag = await bucket.complete(uploadId, partsIn(await text(request)));
    const result = `<ETag>${escaped(etag)}</ETag>`;
    response.end(`<CompleteMultipartUploadResult>${result}</CompleteMultipartUploadResult>`);
  },
  'DELETE part': async ({ bucket, uploadId, response }) => {
    await bucket.abort(uploadId);
    response.writeHead(204).end();
  },
};

async function serve(bucket: S3Bucket, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://s3');
  const [, name, ...segments] = decodeURIComponent(pathname).split('/');
  if (name !== BUCKET) throw new S3Fault(404, 'NoSuchBucket');
  const [key, uploadId] = [segments.join('/'), query.get('uploadId') ?? ''];
  const what = key === '' ? 'bucket' : 'object';
  const call = CALLS[`${request.method} ${uploadId ? 'part' : what}`];
  if (!call) throw new S3Fault(501, 'NotImplemented');
  const digest = String(request.headers['x-amz-content-sha256']);
  await call({ bucket, key, query, uploadId, digest, request, response });
}

const tagged = (response: ServerResponse, etag: string) => response.setHeader('etag', etag).end();

async function give({ bucket, key, query, request, response }: Call): Promise<void> {
  const { object, file } = await bucket.open(key);
  try {
    const wanted = request.headers['if-match'];
    if (wanted && wanted !== object.etag) throw new S3Fault(412, 'PreconditionFailed');
    const range = rangeOf(request, object);
    const { start, end } = range ?? { start: 0, end: object.size - 1 };
    for (const [header, value] of Object.entries(object.headers)) response.setHeader(header, value);
    for (const header of KEPT_HEADERS) {
      const value = query.get(`response-${header}`);
      if (value !== null) response.setHeader(header, value);
    }
    response.setHeader('etag', object.etag).setHeader('content-length', end - start + 1);
    if (range) response.setHeader('content-range', `bytes ${start}-${end}/${object.size}`);
    response.writeHead(range ? 206 : 200);
    if (request.method === 'HEAD' || end < start) return void response.end();
    await pipeline(file.createReadStream({ start, end, autoClose: false }), response);
  } finally {
    await file.close();
  }
}

function rangeOf({ headers }: IncomingMessage, { size }: S3Object): { start: number; end: number } | null {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined) return null;
  if (Number(first) >= size) throw new S3Fault(416, 'InvalidRange');
  return { start: Number(first), end: last ? Math.min(Number(last), size - 1) : size - 1 };
}

function listing(bucket: S3Bucket, query: URLSearchParams): string {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? ''];
  const contents = bucket.list(prefix, after, Number(query.get('max-keys') ?? 1_000)).map(
    ([key, { size, modifiedAt }]) =>
      `<Contents><Key>${escaped(key)}</Key><Size>${size}</Size>` +
      `<LastModified>${modifiedAt.toISOString()}</LastModified></Contents>`,
  );
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
}

const keptHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(KEPT_HEADERS.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])));

const partsIn = (xml: string) =>
  [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
  }));

const escaped = (value: string): string =>
  value.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
