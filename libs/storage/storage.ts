import type { Readable } from 'node:stream';

export interface StoredObject {
  size: number;
}

export interface ByteRange {
  start: number;
  /** The last byte, included. */
  end: number;
}

/**
 * Moves bytes; knows nothing of users or jobs. Keys are made by `libs/assets` and consist of
 * `[A-Za-z0-9._-]` segments joined by `/`. Every driver passes `storage.contract.ts`.
 */
export abstract class Storage {
  /** Stores the file at `path` under `key`, whole or not at all. Doing it twice leaves one object. */
  abstract put(key: string, path: string, options: { mimeType: string }): Promise<void>;

  /** Streams the object, or part of it. Throws `ObjectNotFound`. */
  abstract open(key: string, range?: ByteRange): Promise<Readable>;

  /** Null when there is none. */
  abstract stat(key: string): Promise<StoredObject | null>;

  /** Idempotent. */
  abstract delete(key: string): Promise<void>;

  /** Throws when objects cannot be written now (readiness). */
  abstract check(): Promise<void>;
}

export class ObjectNotFound extends Error {
  constructor(key: string) {
    super(`No object at ${key}`);
    this.name = 'ObjectNotFound';
  }
}
