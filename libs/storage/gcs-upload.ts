import { createHash, randomUUID } from 'node:crypto';
import type { CloudAnswer } from './cloud-requests.js';
import { CACHE_CONTROL } from './bucket-storage.js';
import { GcsError, type GcsClient } from './gcs-client.js';
import type { Part } from './parts.js';

const DONE = new Set([200, 201]);
const GO_ON = 308;
const GIVE_UP_MS = 30_000;

/** Said of a session that the server has lost, or that has other bytes than were sent. */
export class GcsUploadLost extends Error {
  constructor() {
    super('The upload was lost on the way');
    this.name = 'GcsUploadLost';
  }
}

export interface GcsObject {
  key: string;
  mimeType: string;
  signal: AbortSignal | undefined;
}

/** A small object with all that is said of it in one request, its digest included. */
export async function uploadWhole(client: GcsClient, { key, mimeType, signal }: GcsObject, bytes: Buffer): Promise<void> {
  const boundary = randomUUID();
  const md5Hash = createHash('md5').update(bytes).digest('base64');
  const metadata = JSON.stringify({ contentType: mimeType, cacheControl: CACHE_CONTROL, md5Hash });
  await client.call({
    method: 'POST',
    path: client.uploads,
    query: { uploadType: 'multipart', name: key, fields: 'size' },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${metadata}\r\n`),
      Buffer.from(`--${boundary}\r\ncontent-type: ${mimeType}\r\n\r\n`),
      bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
    signal,
  });
}

/**
 * An object of a length that nobody knows beforehand, part by part
 * (cloud.google.com/storage/docs/performing-resumable-uploads): the last one says how long it is and which
 * digest all of it has, and only then the object appears.
 */
export class GcsUpload {
  private readonly digest = createHash('md5');
  /** How many bytes the server has said to have. */
  private kept = 0;

  private constructor(
    private readonly client: GcsClient,
    private readonly session: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async begin(client: GcsClient, { key, mimeType, signal }: GcsObject): Promise<GcsUpload> {
    const answer = await client.call({
      method: 'POST',
      path: client.uploads,
      query: { uploadType: 'resumable', name: key },
      headers: { 'content-type': 'application/json; charset=UTF-8', 'x-upload-content-type': mimeType },
      body: JSON.stringify({ contentType: mimeType, cacheControl: CACHE_CONTROL }),
      signal,
    });
    return new GcsUpload(client, String(answer.headers.location), signal);
  }

  /** The server may keep a beginning of what it was sent: the rest is sent again. */
  async send({ bytes, offset, isLast }: Part): Promise<void> {
    this.digest.update(bytes);
    const end = offset + bytes.length;
    const hash = isLast ? { 'x-goog-hash': `md5=${this.digest.digest('base64')}` } : undefined;
    for (;;) {
      const had = this.kept;
      const rest = bytes.subarray(had - offset);
      const range = rest.length > 0 ? `${had}-${end - 1}` : '*';
      const headers = { 'content-range': `bytes ${range}/${isLast ? end : '*'}`, ...hash };
      const answer = await this.put(headers, rest);
      if (DONE.has(answer.status)) return;
      this.kept = keptOf(answer);
      if (this.kept <= had || this.kept > end) throw new GcsUploadLost();
      if (this.kept === end && !isLast) return;
    }
  }

  /** Never throws: what cannot be given up now goes by itself after a week. */
  async giveUp(): Promise<void> {
    const request = { method: 'DELETE', url: this.session, headers: {}, signal: AbortSignal.timeout(GIVE_UP_MS) };
    await this.client.requests.send(request).catch(() => undefined);
  }

  private async put(headers: Record<string, string>, body: Buffer): Promise<CloudAnswer> {
    const answer = await this.client.requests.send({
      method: 'PUT', url: this.session, headers, body, signal: this.signal,
    });
    if (DONE.has(answer.status) || answer.status === GO_ON) return answer;
    throw new GcsError(answer);
  }
}

/** `bytes=0-N`, or nothing while nothing is kept. */
const keptOf = ({ headers }: CloudAnswer): number => {
  const [, last] = /^bytes=0-(\d+)$/.exec(String(headers.range ?? '')) ?? [];
  return last === undefined ? 0 : Number(last) + 1;
};
