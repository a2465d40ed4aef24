import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command,
  PutObjectCommand, type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BucketStorage, CACHE_CONTROL, type Download, type DownloadOptions } from './bucket-storage.js';
import { PART_BYTES } from './parts.js';
import { createS3Client, endingWith, type S3Settings } from './s3-client.js';
import {
  ObjectNotFound, type ByteRange, type ListedObject, type ListOptions, type PutOptions, type SignedUrlOptions,
  type StoredObject,
} from './storage.js';
import { assertStorageKey } from './storage-key.js';

/** Parts on their way at once: an upload holds this many in memory, and two that are being read. */
const PARTS_AT_ONCE = 2;
/** Said of a put whose bytes or parts were lost on the way, and of one whose end nobody heard of. */
const LOST_ON_THE_WAY = new Set([
  'NoSuchUpload', 'InvalidPart', 'BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody',
]);

/** Objects in a bucket of Amazon S3 or of a server that speaks its protocol. */
export class S3Storage extends BucketStorage {
  private readonly client: S3Client;
  private readonly bucket: string;

  constructor(settings: S3Settings) {
    super();
    this.client = createS3Client(settings);
    this.bucket = settings.bucket;
  }

  async stat(key: string): Promise<StoredObject | null> {
    assertStorageKey(key);
    try {
      const head = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return { size: Number(head.ContentLength) };
    } catch (error) {
      if (nameOf(error) === 'NotFound') return null;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    assertStorageKey(key);
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  async list({ prefix, after, limit }: ListOptions): Promise<ListedObject[]> {
    const page = { Bucket: this.bucket, Prefix: prefix, StartAfter: after, MaxKeys: limit };
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command(page));
    return Contents.map(({ Key, Size, LastModified }) => ({
      key: Key as string, size: Number(Size), modifiedAt: LastModified as Date,
    }));
  }

  async signedUrl(key: string, options: SignedUrlOptions): Promise<string> {
    assertStorageKey(key);
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ResponseContentType: options.contentType,
      ResponseContentDisposition: options.contentDisposition,
      ResponseCacheControl: options.cacheControl,
    });
    return getSignedUrl(this.client, command, { expiresIn: options.expiresInSeconds });
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  protected async upload(key: string, bytes: Readable, { mimeType, signal }: PutOptions): Promise<void> {
    const upload = new Upload({
      client: endingWith(this.client, signal),
      params: {
        Bucket: this.bucket, Key: key, Body: bytes, ContentType: mimeType, CacheControl: CACHE_CONTROL,
      },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    });
    await upload.done();
  }

  protected async download(
    key: string,
    range: ByteRange | undefined,
    { signal, version }: DownloadOptions,
  ): Promise<Download | null> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range, IfMatch: version });
    try {
      const answer = await this.client.send(command, { abortSignal: signal });
      return {
        bytes: answer.Body as Readable, length: Number(answer.ContentLength), version: answer.ETag as string,
      };
    } catch (error) {
      if (nameOf(error) === 'InvalidRange') return null;
      throw nameOf(error) === 'NoSuchKey' ? new ObjectNotFound(key) : error;
    }
  }

  protected isLostOnTheWay(error: unknown): boolean {
    return LOST_ON_THE_WAY.has(nameOf(error));
  }

  protected async look(signal: AbortSignal): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal: signal });
  }

  protected async tryOut(key: string, signal: AbortSignal): Promise<void> {
    const probe = { Bucket: this.bucket, Key: key };
    await this.client.send(new PutObjectCommand({ ...probe, Body: 'writable' }), { abortSignal: signal });
    await this.client.send(new DeleteObjectCommand(probe), { abortSignal: signal });
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
