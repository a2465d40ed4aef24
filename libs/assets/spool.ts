import { createHash, randomUUID, type Hash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { payloadTooLarge } from '#libs/errors/errors.js';

/** A file of unknown origin on its way to storage. */
export interface SpooledFile {
  path: string;
  size: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

export interface SpoolOptions {
  maxBytes: number;
  signal?: AbortSignal;
}

const SLICE_BYTES = 1024 ** 2;
const READ_BYTES = 64 * 1024;
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** Temporary files. Whatever the size of a file, it passes through memory in slices. */
export class Spool {
  private prepared?: Promise<void>;

  /** `folder` is this installation's own; its files of dead processes are removed after a day. */
  constructor(private readonly folder: string) {}

  /**
   * Writes `bytes` to a temporary file, hashing on the way, and gives it to `use`; afterwards the file
   * is gone. Throws `PAYLOAD_TOO_LARGE` as soon as there are more than `maxBytes`.
   */
  async hold<Result>(
    bytes: Uint8Array | Readable,
    options: SpoolOptions,
    use: (file: SpooledFile) => Promise<Result>,
  ): Promise<Result> {
    const file = await this.write(bytes, options);
    try {
      return await use(file);
    } finally {
      await this.discard(file);
    }
  }

  /** As `hold`, of what `make` writes to the path that it is given. */
  async holdMade<Result>(
    make: (path: string) => Promise<void>,
    { maxBytes, signal }: SpoolOptions,
    use: (file: SpooledFile) => Promise<Result>,
  ): Promise<Result> {
    await (this.prepared ??= this.prepare());
    const path = join(this.folder, randomUUID());
    const meter = new Meter(maxBytes);
    try {
      await make(path);
      for await (const slice of slicesOf(path)) {
        signal?.throwIfAborted();
        meter.count(slice);
      }
      return await use({ path, size: meter.size, sha256: meter.digest() });
    } finally {
      await rm(path, { force: true });
    }
  }

  /** As `hold`, for a file that outlives one call: it stays until `discard`. */
  async write(bytes: Uint8Array | Readable, { maxBytes, signal }: SpoolOptions): Promise<SpooledFile> {
    const source = ArrayBuffer.isView(bytes) ? Readable.from(slices(bytes)) : bytes;
    // One that breaks off before it is read would end the process; who reads it then is told.
    source.once('error', () => undefined);
    await (this.prepared ??= this.prepare());
    const path = join(this.folder, randomUUID());
    const meter = new Meter(maxBytes);
    try {
      // Opened first: a stream that opens it late could make it after it was removed.
      const file = await open(path, 'wx', 0o600);
      await pipeline(source, meter, file.createWriteStream(), { signal });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, size: meter.size, sha256: meter.digest() };
  }

  async discard(file: SpooledFile): Promise<void> {
    await rm(file.path, { force: true });
  }

  private async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const modified = await stat(path).then((entry) => entry.mtimeMs, () => Infinity);
      if (modified < Date.now() - ABANDONED_AFTER_MS) await rm(path, { force: true });
    }
  }
}

/** Counts and hashes what passes, and stops it at the limit. */
class Meter extends Transform {
  size = 0;
  private readonly hash: Hash = createHash('sha256');

  constructor(private readonly maxBytes: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      this.count(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  count(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.maxBytes) throw payloadTooLarge(`A file may have ${this.maxBytes} bytes at most`);
    this.hash.update(chunk);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

/** A file's bytes, each slice in the place of the one before it: reading a large one leaves no garbage. */
async function* slicesOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const place = Buffer.allocUnsafeSlow(READ_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(place, 0, place.length);
      if (bytesRead === 0) return;
      yield place.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    yield bytes.subarray(start, start + SLICE_BYTES);
  }
}
