import type { Readable } from 'node:stream';

export interface StoredObject {
  size: number;
}

/** An object as a listing shows it. */
export interface ListedObject extends StoredObject {
  key: string;
  modifiedAt: Date;
}

export interface ByteRange {
  start: number;
  /** The last byte, included. */
  end: number;
}

export interface PutOptions {
  mimeType: string;
  /** Aborted: the put fails with its reason, and an object that was not complete yet never appears. */
  signal?: AbortSignal;
}

export interface ReadOptions {
  range?: ByteRange;
  /** Aborted: the stream is destroyed. */
  signal?: AbortSignal;
}

export interface ListOptions {
  /** What all keys begin with. */
  prefix: string;
  /** Only keys that come after this one. */
  after?: string;
  /** From 1 to 1,000. */
  limit: number;
}

export interface SignedUrlOptions {
  expiresInSeconds: number;
  /** The headers of the answer; absent: those of the put, or none. */
  contentType?: string;
  contentDisposition?: string;
  cacheControl?: string;
}

/**
 * Moves bytes; knows nothing of users or jobs. Keys are made by `libs/assets` and consist of
 * `[A-Za-z0-9._-]` segments joined by `/`. Every driver passes `storage.contract.ts`. Whatever fails may be
 * tried again; a server that hangs makes a call fail after the driver's time limits.
 */
export abstract class Storage {
  /**
   * Stores a file, named by its path, or a stream of any length under `key`, whole or not at all: a reader
   * never sees part of it, and a put that fails or aborts leaves what was there. Twice leaves one object.
   */
  abstract put(key: string, source: string | Readable, options: PutOptions): Promise<void>;

  /**
   * Streams the object, or part of it. Throws `ObjectNotFound`. The stream ends with an error when it cannot
   * give all bytes, never early. Who does not read it to its end destroys it.
   */
  abstract open(key: string, options?: ReadOptions): Promise<Readable>;

  /** Null when there is none. */
  abstract stat(key: string): Promise<StoredObject | null>;

  /** Idempotent. */
  abstract delete(key: string): Promise<void>;

  /** A page of objects in the order of their keys' characters; shorter than `limit`: the last one. */
  abstract list(options: ListOptions): Promise<ListedObject[]>;

  /** A URL that gives the object to whoever has it; null where files are reached by way of the API only. */
  abstract signedUrl(key: string, options: SignedUrlOptions): Promise<string | null>;

  /**
   * A name of where the objects lie: processes with different ones do not see each other's. Null: there is but
   * one such place, wherever a process runs.
   */
  abstract place(): Promise<string | null>;

  /** Throws when objects cannot be written now (readiness). Ends within seconds. */
  abstract check(): Promise<void>;

  /** Ends the connections that are kept open. */
  abstract close(): Promise<void>;
}

export class ObjectNotFound extends Error {
  constructor(key: string) {
    super(`No object at ${key}`);
    this.name = 'ObjectNotFound';
  }
}
