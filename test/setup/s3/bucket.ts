import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const MIN_PART_BYTES = 5 * 1024 ** 2;

/** What S3 calls the failure of a request. */
export class S3Fault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export interface Received {
  path: string;
  size: number;
  md5: string;
}

export interface S3Object extends Received {
  etag: string;
  modifiedAt: Date;
  /** `content-type` and the like, as they were sent. */
  headers: Record<string, string>;
}

interface S3Upload {
  key: string;
  headers: Record<string, string>;
  parts: Map<number, Received>;
}

/** One bucket: bytes in a folder, all else in memory. Objects appear and change as a whole. */
export class S3Bucket {
  readonly objects = new Map<string, S3Object>();
  readonly uploads = new Map<string, S3Upload>();

  private constructor(private readonly folder: string) {}

  static async in(folder: string): Promise<S3Bucket> {
    await mkdir(folder, { recursive: true });
    return new S3Bucket(folder);
  }

  async put(key: string, body: Readable, digest: string, headers: Record<string, string>): Promise<string> {
    const received = await this.receive(body, digest);
    return this.keep(key, { ...received, etag: `"${received.md5}"`, modifiedAt: new Date(), headers });
  }

  /** The object, and its file opened: whoever reads it gets this version, whatever happens to the key. */
  async open(key: string): Promise<{ object: S3Object; file: FileHandle }> {
    const object = this.objects.get(key);
    if (!object) throw new S3Fault(404, 'NoSuchKey');
    return { object, file: await open(object.path) };
  }

  async delete(key: string): Promise<void> {
    const object = this.objects.get(key);
    this.objects.delete(key);
    if (object) await rm(object.path);
  }

  list(prefix: string, after: string, limit: number): [string, S3Object][] {
    return [...this.objects]
      .filter(([key]) => key.startsWith(prefix) && key > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit);
  }

  begin(key: string, headers: Record<string, string>): string {
    const id = randomUUID();
    this.uploads.set(id, { key, headers, parts: new Map() });
    return id;
  }

  async putPart(id: string, number: number, body: Readable, digest: string): Promise<string> {
    const { parts } = this.upload(id);
    const received = await this.receive(body, digest);
    parts.set(number, received);
    return `"${received.md5}"`;
  }

  async complete(id: string, named: { number: number; etag: string }[]): Promise<string> {
    const { key, headers, parts } = this.upload(id);
    const chosen = named.map(({ number, etag }) => {
      const part = parts.get(number);
      if (part && etag === `"${part.md5}"`) return part;
      throw new S3Fault(400, 'InvalidPart');
    });
    const isSmall = chosen.slice(0, -1).some(({ size }) => size < MIN_PART_BYTES);
    if (isSmall) throw new S3Fault(400, 'EntityTooSmall');
    const received = await this.receive(Readable.from(bytesOf(chosen)), '');
    const digests = chosen.map(({ md5 }) => md5).join();
    const etag = `"${createHash('md5').update(digests).digest('hex')}-${chosen.length}"`;
    await this.abort(id);
    return this.keep(key, { ...received, etag, modifiedAt: new Date(), headers });
  }

  async abort(id: string): Promise<void> {
    const { parts } = this.upload(id);
    this.uploads.delete(id);
    for (const { path } of parts.values()) await rm(path);
  }

  private upload(id: string): S3Upload {
    const upload = this.uploads.get(id);
    if (!upload) throw new S3Fault(404, 'NoSuchUpload');
    return upload;
  }

  private async keep(key: string, object: S3Object): Promise<string> {
    const before = this.objects.get(key);
    this.objects.set(key, object);
    if (before) await rm(before.path);
    return object.etag;
  }

  /** Fails when the body breaks off, or has another digest than was signed. */
  private async receive(body: Readable, digest: string): Promise<Received> {
    const path = join(this.folder, randomUUID());
    const [sha256, md5] = [createHash('sha256'), createHash('md5')];
    let size = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        sha256.update(chunk);
        md5.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(body, meter, createWriteStream(path));
    if (/^[0-9a-f]{64}$/.test(digest) && sha256.digest('hex') !== digest) {
      throw new S3Fault(400, 'XAmzContentSHA256Mismatch');
    }
    return { path, size, md5: md5.digest('hex') };
  }
}

async function* bytesOf(files: Received[]): AsyncGenerator<Buffer> {
  for (const { path } of files) yield* createReadStream(path);
}
