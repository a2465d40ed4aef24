import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  BlobSASPermissions, generateBlobSASQueryParameters, RestError, StorageSharedKeyCredential, type BlobItem,
  type BlockBlobClient, type ContainerClient,
} from '@azure/storage-blob';
import { createContainerClient, type AzureSettings } from './azure-client.js';
import { BucketStorage, CACHE_CONTROL, type Download, type DownloadOptions } from './bucket-storage.js';
import { CloudRequests } from './cloud-requests.js';
import { partsOf, sendParts } from './parts.js';
import {
  ObjectNotFound, type ByteRange, type ListedObject, type ListOptions, type PutOptions, type SignedUrlOptions,
  type StoredObject,
} from './storage.js';
import { assertStorageKey } from './storage-key.js';
import type { TimeLimits } from './time-limits.js';

/** Said of a put whose bytes were changed on the way, or whose blocks another put of the key swept away. */
const LOST_ON_THE_WAY = new Set(['Md5Mismatch', 'InvalidOperation', 'InvalidBlockList', 'InvalidBlobOrBlock']);
const NOT_FOUND = 404;

/**
 * Objects in a container of Azure Blob Storage. Large ones go up in blocks, which become an object when their list
 * is put; blocks of an upload that was given up are Azure's to remove, after a week.
 */
export class AzureStorage extends BucketStorage {
  private readonly requests: CloudRequests;
  private readonly container: ContainerClient;

  constructor(settings: AzureSettings & { timeLimits?: Partial<TimeLimits> }) {
    super();
    this.requests = new CloudRequests(settings.timeLimits);
    this.container = createContainerClient(settings, this.requests);
  }

  async stat(key: string): Promise<StoredObject | null> {
    try {
      return { size: Number((await this.blob(key).getProperties()).contentLength) };
    } catch (error) {
      if (statusOf(error) === NOT_FOUND) return null;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await this.blob(key).deleteIfExists();
  }

  /** A server that knows no `startFrom` begins at the first key. */
  async list({ prefix, after = '', limit }: ListOptions): Promise<ListedObject[]> {
    const listed: ListedObject[] = [];
    const pages = this.container
      .listBlobsFlat({ prefix, startFrom: after || undefined })
      .byPage({ maxPageSize: limit + 1 });
    for await (const { segment } of pages) {
      listed.push(...segment.blobItems.map(listedObject).filter(({ key }) => key > after));
      if (listed.length >= limit) break;
    }
    return listed.slice(0, limit);
  }

  /** Null where the container is reached by a signature, not by the account's key. */
  async signedUrl(key: string, options: SignedUrlOptions): Promise<string | null> {
    const blob = this.blob(key);
    const { credential } = blob;
    if (!(credential instanceof StorageSharedKeyCredential)) return null;
    const { contentType, contentDisposition, cacheControl } = options;
    const signature = generateBlobSASQueryParameters(
      {
        containerName: blob.containerName,
        blobName: key,
        permissions: BlobSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + options.expiresInSeconds * 1_000),
        contentType, contentDisposition, cacheControl,
      },
      credential,
    );
    return `${blob.url}?${signature}`;
  }

  async close(): Promise<void> {
    this.requests.close();
  }

  protected async upload(key: string, bytes: Readable, { mimeType, signal }: PutOptions): Promise<void> {
    const blob = this.blob(key);
    const headers = { blobContentType: mimeType, blobCacheControl: CACHE_CONTROL };
    const options = { abortSignal: signal, blobHTTPHeaders: headers };
    const [name, blocks]: [string, string[]] = [randomUUID(), []];
    await sendParts(partsOf(bytes), async (part) => {
      if (part.isLast && part.offset === 0) return void (await blob.upload(part.bytes, part.bytes.length, options));
      const block = blockId(name, blocks.length);
      await blob.stageBlock(block, part.bytes, part.bytes.length, { abortSignal: signal });
      blocks.push(block);
      if (part.isLast) await blob.commitBlockList(blocks, options);
    });
  }

  protected async download(
    key: string,
    range: ByteRange | undefined,
    { signal, version }: DownloadOptions,
  ): Promise<Download | null> {
    const count = range && range.end - range.start + 1;
    try {
      const answer = await this.blob(key).download(range?.start, count, {
        abortSignal: signal,
        conditions: { ifMatch: version },
        // `ResumingDownload` does it, and gives up when nothing comes any more.
        maxRetryRequests: 0,
      });
      return {
        bytes: answer.readableStreamBody as Readable, length: Number(answer.contentLength), version: String(answer.etag),
      };
    } catch (error) {
      if (codeOf(error) === 'InvalidRange') return null;
      throw statusOf(error) === NOT_FOUND ? new ObjectNotFound(key) : error;
    }
  }

  protected isLostOnTheWay(error: unknown): boolean {
    return LOST_ON_THE_WAY.has(codeOf(error) ?? '');
  }

  protected async look(signal: AbortSignal): Promise<void> {
    await this.container.getProperties({ abortSignal: signal });
  }

  protected async tryOut(key: string, signal: AbortSignal): Promise<void> {
    const blob = this.container.getBlockBlobClient(key);
    await blob.upload('writable', 'writable'.length, { abortSignal: signal });
    await blob.delete({ abortSignal: signal });
  }

  private blob(key: string): BlockBlobClient {
    assertStorageKey(key);
    return this.container.getBlockBlobClient(key);
  }
}

/** All of a blob's have the same length, and those of two uploads of it never mix. */
const blockId = (upload: string, index: number): string =>
  Buffer.from(`${upload}-${String(index).padStart(6, '0')}`).toString('base64');

const listedObject = ({ name, properties }: BlobItem): ListedObject => ({
  key: name, size: Number(properties.contentLength), modifiedAt: properties.lastModified,
});

const statusOf = (error: unknown): number | undefined => (error instanceof RestError ? error.statusCode : undefined);
const codeOf = (error: unknown): string | undefined => (error instanceof RestError ? error.code : undefined);
