import { createReadStream } from 'node:fs';
import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  ObjectNotFound, Storage, type ListedObject, type ListOptions, type PutOptions, type ReadOptions, type SignedUrlOptions,
  type StoredObject,
} from '#libs/storage/storage.js';
import { assertStorageKey } from '#libs/storage/storage-key.js';
import type { CollectionKeys } from './collection-keys.js';
import { DecryptedFrames, EncryptedFrames, frameRange, HEAD, plainSize } from './frames.js';
import { encryptedFor } from './sealed-key.js';

/**
 * A storage in which the objects of encrypted collections lie encrypted: those whose key says so (`sealed-key.ts`).
 * Outside nothing shows of it, but that nobody gets them without passing here.
 */
export class SealedStorage extends Storage {
  constructor(
    private readonly inner: Storage,
    private readonly keys: Pick<CollectionKeys, 'of'>,
    /** Whose key an object is encrypted with; null: it is not. */
    private readonly collectionOf: (key: string) => string | null = encryptedFor,
  ) {
    super();
  }

  async put(key: string, source: string | Readable, options: PutOptions): Promise<void> {
    const collection = this.collectionOf(key);
    if (collection === null) return this.inner.put(key, source, options);
    assertStorageKey(key);
    options.signal?.throwIfAborted();
    const { files } = await this.keys.of(collection);
    const plain = typeof source === 'string' ? createReadStream(source) : source;
    const frames = pipeline(plain, new EncryptedFrames(files, key), ignore);
    return this.inner.put(key, frames, options);
  }

  async open(key: string, { range, signal }: ReadOptions = {}): Promise<Readable> {
    const collection = this.collectionOf(key);
    if (collection === null) return this.inner.open(key, { range, signal });
    assertStorageKey(key);
    const wanted = range && frameRange(range);
    // The bytes first: what is not there needs no key.
    const head = wanted && wanted.first > 0 ? await this.headOf(key, signal) : undefined;
    const stored = await this.inner.open(key, { range: wanted?.stored, signal });
    try {
      const { files } = await this.keys.of(collection);
      const plain = pipeline(stored, new DecryptedFrames(files, key, range, head), ignore);
      return signal ? addAbortSignal(signal, plain) : plain;
    } catch (error) {
      stored.destroy();
      throw error;
    }
  }

  async stat(key: string): Promise<StoredObject | null> {
    const object = await this.inner.stat(key);
    return object && this.shown(key, object);
  }

  async list(options: ListOptions): Promise<ListedObject[]> {
    const page = await this.inner.list(options);
    return page.map((object) => this.shown(object.key, object));
  }

  /** What the bucket gave would be of no use. */
  async signedUrl(key: string, options: SignedUrlOptions): Promise<string | null> {
    return this.collectionOf(key) === null ? this.inner.signedUrl(key, options) : null;
  }

  delete(key: string): Promise<void> {
    return this.inner.delete(key);
  }

  place(): Promise<string | null> {
    return this.inner.place();
  }

  check(): Promise<void> {
    return this.inner.check();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private async headOf(key: string, signal: AbortSignal | undefined): Promise<Buffer> {
    const head = await buffer(await this.inner.open(key, { range: HEAD, signal }));
    if (head.length === 0) throw new ObjectNotFound(key);
    return head;
  }

  private shown<Object extends StoredObject>(key: string, object: Object): Object {
    return this.collectionOf(key) === null ? object : { ...object, size: plainSize(object.size) };
  }
}

/** Whoever reads or stores the stream's other end gets the error. */
const ignore = (): void => undefined;
