import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import {
  DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command,
  PutObjectCommand, type GetObjectCommandOutput, type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ResumingDownload } from './resuming-download.js';
import { createS3Client, endingWith, type S3Settings } from './s3-client.js';
import {
  ObjectNotFound, Storage, type ListedObject, type ListOptions, type PutOptions, type ReadOptions,
  type SignedUrlOptions, type StoredObject,
} from './storage.js';
import { assertStorageKey } from './storage-key.js';

const PART_BYTES = 5 * 1024 ** 2;
/** Parts on their way at once: an upload holds this many in memory, and two that are being read. */
const PARTS_AT_ONCE = 2;
const MAX_PUTS = 3;
/** Said of a put whose bytes or parts were lost on the way, and of one whose end nobody heard of. */
const LOST_ON_THE_WAY = new Set([
  'NoSuchUpload', 'InvalidPart', 'BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody',
]);
/** For CDNs and browsers that read the bucket itself; as long as the API allows. */
const CACHE_CONTROL = 'max-age=3600';
const CHECK_TIMEOUT_MS = 2_500;

/**
 * Objects in a bucket of Amazon S3 or of a server that speaks its protocol. Each request is retried with
 * backoff; large objects go up in parts, and a download that is cut goes on where it was.
 */
export class S3Storage extends Storage {
  private readonly client: S3Client;
  private readonly bucket: string;
  private hasWritten = false;

  constructor(settings: S3Settings) {
    super();
    this.client = createS3Client(settings);
    this.bucket = settings.bucket;
  }

  async put(key: string, source: string | Readable, options: PutOptions): Promise<void> {
    assertStorageKey(key);
    for (let put = 1; ; put++) {
      try {
        return await this.upload(key, source, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        // A stream cannot be read again.
        const isLast = source instanceof Readable || put === MAX_PUTS;
        if (isLast || !LOST_ON_THE_WAY.has(nameOf(error))) throw error;
      }
    }
  }

  async open(key: string, { range, signal }: ReadOptions = {}): Promise<Readable> {
    const { start, end } = range ?? { start: 0, end: undefined };
    const answer = await this.get(key, range && `bytes=${start}-${end}`, signal);
    if (!answer) return Readable.from([]);
    const length = Number(answer.ContentLength);
    const download = new ResumingDownload({
      first: answer.Body as Readable,
      length,
      resume: async (offset) => {
        const unread = `bytes=${start + offset}-${start + length - 1}`;
        const rest = await this.get(key, unread, signal, answer.ETag);
        return (rest?.Body as Readable | undefined) ?? Readable.from([]);
      },
    });
    return signal ? addAbortSignal(signal, download) : download;
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

  async place(): Promise<null> {
    return null;
  }

  /** Writes once, to see that it may; then asks after the bucket only, since readiness is asked for often. */
  async check(): Promise<void> {
    const once = { abortSignal: AbortSignal.timeout(CHECK_TIMEOUT_MS) };
    const bucket = { Bucket: this.bucket };
    if (this.hasWritten) return void (await this.client.send(new HeadBucketCommand(bucket), once));
    const probe = { ...bucket, Key: `.check-${randomUUID()}` };
    await this.client.send(new PutObjectCommand({ ...probe, Body: 'writable' }), once);
    await this.client.send(new DeleteObjectCommand(probe), once);
    this.hasWritten = true;
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  /** In one request what fits into one part, else in parts, which are given up when the upload fails. */
  private async upload(key: string, source: string | Readable, options: PutOptions): Promise<void> {
    const { mimeType, signal } = options;
    signal?.throwIfAborted();
    const body = source instanceof Readable ? source : createReadStream(source);
    if (signal) addAbortSignal(signal, body);
    const upload = new Upload({
      client: endingWith(this.client, signal),
      params: {
        Bucket: this.bucket, Key: key, Body: body, ContentType: mimeType, CacheControl: CACHE_CONTROL,
      },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    });
    try {
      await untilAborted(upload.done(), signal);
    } finally {
      body.destroy();
    }
  }

  /** Null when the range begins behind the end of the object. */
  private async get(
    key: string,
    range: string | undefined,
    signal: AbortSignal | undefined,
    version?: string,
  ): Promise<GetObjectCommandOutput | null> {
    assertStorageKey(key);
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: range, IfMatch: version });
    try {
      return await this.client.send(command, { abortSignal: signal });
    } catch (error) {
      if (nameOf(error) === 'InvalidRange') return null;
      throw nameOf(error) === 'NoSuchKey' ? new ObjectNotFound(key) : error;
    }
  }
}

/** Nobody waits for what gives up the parts of an aborted upload. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  let giveUp = () => {};
  const aborted = new Promise<never>((_, reject) => (giveUp = () => reject(signal?.reason)));
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
