import type { Readable } from 'node:stream';
import { BucketStorage, type Download, type DownloadOptions } from './bucket-storage.js';
import type { GcsSettings } from './gcs-access.js';
import { GcsClient, GcsError } from './gcs-client.js';
import { GcsUpload, GcsUploadLost, uploadWhole } from './gcs-upload.js';
import { partsOf, sendParts } from './parts.js';
import {
  ObjectNotFound, type ByteRange, type ListedObject, type ListOptions, type PutOptions, type SignedUrlOptions,
  type StoredObject,
} from './storage.js';
import { assertStorageKey } from './storage-key.js';
import type { TimeLimits } from './time-limits.js';

const NOT_FOUND = 404;
const NO_SUCH_RANGE = 416;
/** Of a put: its digest is another one (400), or its session is gone. */
const LOST_ON_THE_WAY = new Set([400, 404, 410]);

interface ListPage {
  items?: { name: string; size: string; updated: string }[];
  nextPageToken?: string;
}

/** Objects in a bucket of Google Cloud Storage. Large ones go up in parts of one resumable upload. */
export class GcsStorage extends BucketStorage {
  private readonly client: GcsClient;

  constructor(private readonly settings: GcsSettings & { timeLimits?: Partial<TimeLimits> }) {
    super();
    this.client = new GcsClient(settings);
  }

  async stat(key: string): Promise<StoredObject | null> {
    assertStorageKey(key);
    const asking = this.client.call({ method: 'GET', path: this.client.object(key), query: { fields: 'size' } });
    const answer = await asking.catch(unlessNotFound);
    return answer && { size: Number((JSON.parse(answer.text) as { size: string }).size) };
  }

  async delete(key: string): Promise<void> {
    assertStorageKey(key);
    await this.client.call({ method: 'DELETE', path: this.client.object(key) }).catch(unlessNotFound);
  }

  async list({ prefix, after, limit }: ListOptions): Promise<ListedObject[]> {
    const listed: ListedObject[] = [];
    let pageToken: string | undefined;
    do {
      const { text } = await this.client.call({
        method: 'GET',
        path: `${this.client.bucket}/o`,
        query: {
          prefix, pageToken,
          // It is included, but no key begins with the last one and goes on with this sign.
          startOffset: after && `${after}!`,
          maxResults: String(limit - listed.length),
          fields: 'items(name,size,updated),nextPageToken',
        },
      });
      const { items = [], nextPageToken } = JSON.parse(text) as ListPage;
      listed.push(...items.map(({ name, size, updated }) => ({
        key: name, size: Number(size), modifiedAt: new Date(updated),
      })));
      pageToken = nextPageToken;
    } while (pageToken && listed.length < limit);
    return listed;
  }

  /** Cached as the object says: Google lets a URL say nothing of it. */
  async signedUrl(key: string, options: SignedUrlOptions): Promise<string | null> {
    assertStorageKey(key);
    const { expiresInSeconds, contentType, contentDisposition } = options;
    return this.client.access.signedUrl(`/${this.settings.bucket}/${key}`, expiresInSeconds, {
      ...(contentType && { 'response-content-type': contentType }),
      ...(contentDisposition && { 'response-content-disposition': contentDisposition }),
    });
  }

  async close(): Promise<void> {
    this.client.requests.close();
  }

  protected async upload(key: string, bytes: Readable, { mimeType, signal }: PutOptions): Promise<void> {
    const object = { key, mimeType, signal };
    let upload: GcsUpload | undefined;
    try {
      await sendParts(partsOf(bytes), async (part) => {
        if (part.isLast && part.offset === 0) return uploadWhole(this.client, object, part.bytes);
        upload ??= await GcsUpload.begin(this.client, object);
        await upload.send(part);
      });
    } catch (error) {
      await upload?.giveUp();
      throw error;
    }
  }

  protected async download(
    key: string,
    range: ByteRange | undefined,
    { signal, version }: DownloadOptions,
  ): Promise<Download | null> {
    try {
      const { stream, headers } = await this.client.call({
        method: 'GET',
        path: this.client.object(key),
        query: { alt: 'media', ifGenerationMatch: version },
        headers: range && { range: `bytes=${range.start}-${range.end}` },
        signal,
        isStreamed: (status) => status === 200 || status === 206,
      });
      return {
        bytes: stream as Readable,
        length: Number(headers['content-length']),
        version: String(headers['x-goog-generation']),
      };
    } catch (error) {
      if (statusOf(error) === NO_SUCH_RANGE) return null;
      throw statusOf(error) === NOT_FOUND ? new ObjectNotFound(key) : error;
    }
  }

  protected isLostOnTheWay(error: unknown): boolean {
    return error instanceof GcsUploadLost || LOST_ON_THE_WAY.has(statusOf(error) ?? 0);
  }

  protected async look(signal: AbortSignal): Promise<void> {
    await this.client.call({ method: 'GET', path: `${this.client.bucket}/o`, query: { maxResults: '1' }, signal });
  }

  protected async tryOut(key: string, signal: AbortSignal): Promise<void> {
    await uploadWhole(this.client, { key, mimeType: 'text/plain', signal }, Buffer.from('writable'));
    await this.client.call({ method: 'DELETE', path: this.client.object(key), signal });
  }
}

const statusOf = (error: unknown): number | undefined => (error instanceof GcsError ? error.status : undefined);

function unlessNotFound(error: unknown): null {
  if (statusOf(error) === NOT_FOUND) return null;
  throw error;
}
