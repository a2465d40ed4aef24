import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { GcsStorage } from '#libs/storage/gcs.storage.js';
import type { TimeLimits } from '#libs/storage/time-limits.js';
import { CloudFault, give, KeptObjects, listen } from '../kept-objects.js';
import { isSignedUrl, keyFile } from './signed-url.js';
import { assertDigest, GcsUploads, type Metadata } from './uploads.js';

const BUCKET = 'platen';
const API = `/storage/v1/b/${BUCKET}/o`;

export interface GcsServer {
  url: string;
  objects: KeptObjects;
  uploads: GcsUploads;
  variables: Record<string, string>;
  storage(settings?: { endpoint?: string; timeLimits?: Partial<TimeLimits> }): GcsStorage;
  close(): Promise<void>;
}

/**
 * The part of Google Cloud Storage that the driver speaks, on loopback and in memory, after its documentation
 * (cloud.google.com/storage/docs/json_api): digests are checked, of a part that comes before the end only multiples of
 * 256 KiB are kept, signed URLs are verified with the signer's public key. Like every emulator it wants no tokens.
 */
export async function startGcsServer(): Promise<GcsServer> {
  const home = await mkdtemp(join(tmpdir(), 'platen-gcs-'));
  const credentials = join(home, 'key.json');
  await writeFile(credentials, keyFile());
  const bucket = { objects: new KeptObjects(), uploads: new GcsUploads() };
  const { url, close } = await listen((request, response) => serve({ ...bucket, request, response }), refuse);
  return {
    url, ...bucket,
    variables: {
      STORAGE_DRIVER: 'gcs', STORAGE_BUCKET: BUCKET, STORAGE_EMULATOR_HOST: url,
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
    },
    storage: ({ endpoint = url, timeLimits } = {}) =>
      new GcsStorage({ bucket: BUCKET, emulator: endpoint, keyFile: credentials, timeLimits }),
    close: async () => {
      await close();
      await rm(home, { recursive: true });
    },
  };
}

interface Exchange extends Pick<GcsServer, 'objects' | 'uploads'> {
  request: IncomingMessage;
  response: ServerResponse;
}

interface Call extends Exchange {
  key: string;
  query: URLSearchParams;
}

async function serve(exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? '', `http://${request.headers.host}`);
  const call = { ...exchange, query: url.searchParams, key: '' };
  if (url.pathname === `/upload${API}`) return upload({ ...call, key: url.searchParams.get('name') ?? '' });
  if (url.pathname === API) return list(call);
  if (url.pathname.startsWith(`${API}/`)) {
    return object({ ...call, key: decodeURIComponent(url.pathname.slice(API.length + 1)) });
  }
  if (!url.pathname.startsWith(`/${BUCKET}/`)) throw new CloudFault(404, 'notFound');
  if (!isSignedUrl(url, url.host)) throw new CloudFault(403, 'SignatureDoesNotMatch');
  read({ ...call, key: url.pathname.slice(BUCKET.length + 2) });
}

async function list({ objects, query, response }: Call): Promise<void> {
  const from = query.get('pageToken') ?? query.get('startOffset') ?? '';
  const limit = Number(query.get('maxResults') ?? 1_000);
  const page = objects.page(query.get('prefix') ?? '', from, limit + 1);
  const items = page.slice(0, limit).map(([name, { bytes, modifiedAt }]) => ({
    name, size: String(bytes.length), updated: modifiedAt.toISOString(),
  }));
  json(response, { ...(items.length > 0 && { items }), nextPageToken: page[limit]?.[0] });
}

async function object(call: Call): Promise<void> {
  const { objects, key, query, request, response } = call;
  if (request.method === 'DELETE') {
    objects.found(key);
    objects.delete(key);
    return void response.writeHead(204).end();
  }
  if (query.get('alt') === 'media') return read(call);
  json(response, { size: String(objects.found(key).bytes.length) });
}

function read({ objects, key, query, request, response }: Call): void {
  const kept = objects.found(key);
  const wanted = query.get('ifGenerationMatch');
  if (wanted !== null && wanted !== kept.version) throw new CloudFault(412, 'conditionNotMet');
  for (const name of ['content-type', 'content-disposition']) {
    const value = query.get(`response-${name}`);
    if (value !== null) response.setHeader(name, value);
  }
  response.setHeader('x-goog-generation', kept.version);
  give(kept, request, response, request.headers.range);
}

async function upload(call: Call): Promise<void> {
  const { uploads, query, request, response } = call;
  const body = await buffer(request);
  const id = query.get('upload_id');
  if (id === null && query.get('uploadType') === 'multipart') return uploadWhole(call, body);
  if (id === null) {
    const session = uploads.begin(call.key, JSON.parse(String(body)) as Metadata);
    const place = `http://${request.headers.host}/upload${API}?uploadType=resumable&upload_id=${session}`;
    return void response.writeHead(200, { location: place }).end();
  }
  if (request.method === 'DELETE') {
    uploads.giveUp(id);
    return void response.writeHead(499).end();
  }
  const hash = request.headers['x-goog-hash'];
  const progress = uploads.take(id, String(request.headers['content-range']), body, hash && String(hash));
  if ('bytes' in progress) return keep({ ...call, key: progress.key }, progress.metadata, progress.bytes);
  if (progress.kept > 0) response.setHeader('range', `bytes=0-${progress.kept - 1}`);
  response.writeHead(308).end();
}

/** `multipart/related`: what is said of the object, then its bytes. */
function uploadWhole(call: Call, body: Buffer): void {
  const [, boundary = ''] = /boundary=(.+)$/.exec(String(call.request.headers['content-type'])) ?? [];
  if (!body.subarray(0, boundary.length + 2).equals(Buffer.from(`--${boundary}`))) throw new CloudFault(400, 'invalid');
  const [first, second] = [body.indexOf('\r\n\r\n') + 4, body.indexOf(`\r\n--${boundary}`, 1)];
  const metadata = JSON.parse(String(body.subarray(first, second))) as Metadata;
  const start = body.indexOf('\r\n\r\n', second) + 4;
  const bytes = body.subarray(start, body.lastIndexOf(`\r\n--${boundary}--`));
  assertDigest(bytes, metadata.md5Hash);
  keep(call, metadata, Buffer.from(bytes));
}

function keep({ objects, key, response }: Call, { contentType, cacheControl }: Metadata, bytes: Buffer): void {
  const headers = { 'content-type': contentType ?? '', 'cache-control': cacheControl ?? '' };
  objects.keep(key, bytes, headers);
  json(response, { name: key, size: String(bytes.length) });
}

const json = (response: ServerResponse, body: object): void =>
  void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));

function refuse({ status, code }: CloudFault, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code: status, message: code, errors: [{ reason: code }] } }));
}
