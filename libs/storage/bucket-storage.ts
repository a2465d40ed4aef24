import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import { ResumingDownload } from './resuming-download.js';
import { Storage, type ByteRange, type PutOptions, type ReadOptions } from './storage.js';
import { assertStorageKey } from './storage-key.js';

const MAX_PUTS = 3;
const CHECK_TIMEOUT_MS = 2_500;
/** For CDNs and browsers that read the bucket itself; as long as the API allows. */
export const CACHE_CONTROL = 'max-age=3600';

/** The bytes of an object, or of part of it, on their way. */
export interface Download {
  bytes: Readable;
  length: number;
  /** Of the object: another put gives another one. */
  version: string;
}

export interface DownloadOptions {
  signal: AbortSignal | undefined;
  /** Fails when the object has another one by now. */
  version?: string;
}

/**
 * What the drivers of clouds share: a put that lost bytes on its way is made again, a download that is cut goes
 * on where it was, and readiness is asked for cheaply. One bucket belongs to one installation.
 */
export abstract class BucketStorage extends Storage {
  private hasWritten = false;

  async put(key: string, source: string | Readable, options: PutOptions): Promise<void> {
    assertStorageKey(key);
    for (let put = 1; ; put++) {
      try {
        return await this.putOnce(key, source, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        // A stream cannot be read again.
        const isLast = source instanceof Readable || put === MAX_PUTS;
        if (isLast || !this.isLostOnTheWay(error)) throw error;
      }
    }
  }

  async open(key: string, { range, signal }: ReadOptions = {}): Promise<Readable> {
    assertStorageKey(key);
    const first = await this.download(key, range, { signal });
    if (!first) return Readable.from([]);
    const { bytes, length, version } = first;
    const start = range?.start ?? 0;
    const download = new ResumingDownload({
      first: bytes,
      length,
      resume: async (offset) => {
        const unread = { start: start + offset, end: start + length - 1 };
        const rest = await this.download(key, unread, { signal, version });
        return rest?.bytes ?? Readable.from([]);
      },
    });
    return signal ? addAbortSignal(signal, download) : download;
  }

  async place(): Promise<null> {
    return null;
  }

  /** Writes once, to see that it may; then asks after the bucket only, since readiness is asked for often. */
  async check(): Promise<void> {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    if (this.hasWritten) return this.look(signal);
    await this.tryOut(`.check-${randomUUID()}`, signal);
    this.hasWritten = true;
  }

  private async putOnce(key: string, source: string | Readable, options: PutOptions): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    const bytes = source instanceof Readable ? source : createReadStream(source);
    if (signal) addAbortSignal(signal, bytes);
    try {
      await untilAborted(this.upload(key, bytes, options), signal);
    } finally {
      bytes.destroy();
    }
  }

  /** In one request what is small, else in parts, of which nothing is seen unless all are there. */
  protected abstract upload(key: string, bytes: Readable, options: PutOptions): Promise<void>;

  /** Null when the range begins behind the end of the object. Throws `ObjectNotFound`. */
  protected abstract download(
    key: string,
    range: ByteRange | undefined,
    options: DownloadOptions,
  ): Promise<Download | null>;

  /** Whether bytes or parts of a put were lost, or nobody heard of its end: putting it again helps. */
  protected abstract isLostOnTheWay(error: unknown): boolean;

  /** Throws unless the bucket is there. */
  protected abstract look(signal: AbortSignal): Promise<void>;

  /** Writes an object and removes it. */
  protected abstract tryOut(key: string, signal: AbortSignal): Promise<void>;
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
