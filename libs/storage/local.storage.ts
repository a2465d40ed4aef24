import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile, link, lstat, mkdir, open, readFile, realpath, rename, rm, writeFile, type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { filesBelow } from './files-below.js';
import {
  ObjectNotFound, Storage, type ListedObject, type ListOptions, type PutOptions, type ReadOptions,
  type StoredObject,
} from './storage.js';
import { assertStorageKey, InvalidStorageKey } from './storage-key.js';

/** What the file system says when a path leads to no regular file. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP']);

/**
 * Objects as files below one folder, a key being the path. An object appears by a rename, after its bytes
 * are on the disk, so that a reader or a crash never meets half of one. Symbolic links are not followed.
 */
export class LocalStorage extends Storage {
  private readonly root: string;
  /** The folder has been seen, with the name of its place in it. */
  private isPlaced = false;

  constructor(root: string) {
    super();
    this.root = resolve(root);
  }

  async put(key: string, source: string | Readable, { signal }: PutOptions): Promise<void> {
    const target = this.pathOf(key);
    signal?.throwIfAborted();
    await this.makeFolder(dirname(target));
    const temporary = join(dirname(target), `.${randomUUID()}.part`);
    try {
      await copy(source, temporary, signal);
      await flush(temporary);
      signal?.throwIfAborted();
      await rename(temporary, target);
      await flush(dirname(target));
    } catch (error) {
      await rm(temporary, { force: true });
      signal?.throwIfAborted();
      throw error;
    }
  }

  async open(key: string, { range, signal }: ReadOptions = {}): Promise<Readable> {
    const file = await this.openFile(key);
    const bytes = file.createReadStream({ ...range });
    return signal ? addAbortSignal(signal, bytes) : bytes;
  }

  async stat(key: string): Promise<StoredObject | null> {
    try {
      const entry = await lstat(await this.existingPathOf(key));
      return entry.isFile() ? { size: entry.size } : null;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    // A disk that is not mounted has nothing, which does not mean that there is nothing.
    if (this.isPlaced) await lstat(this.placePath);
    return null;
  }

  async delete(key: string): Promise<void> {
    try {
      await rm(await this.existingPathOf(key), { force: true });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  async list({ prefix, after = '', limit }: ListOptions): Promise<ListedObject[]> {
    const page: ListedObject[] = [];
    for await (const file of filesBelow(this.root, { prefix, after })) {
      page.push(file);
      if (page.length === limit) break;
    }
    return page;
  }

  /** A folder has no server. */
  async signedUrl(): Promise<null> {
    return null;
  }

  /** Written into the folder by who comes first, so that it goes wherever the folder is mounted. */
  async place(): Promise<string> {
    const [name, temporary] = [randomUUID(), join(this.root, `.${randomUUID()}.part`)];
    await this.makeFolder(this.root);
    await writeFile(temporary, name, { flag: 'wx' });
    try {
      await link(temporary, this.placePath);
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return await readFile(this.placePath, 'utf8');
    } finally {
      this.isPlaced = true;
      await rm(temporary, { force: true });
    }
  }

  private get placePath(): string {
    return join(this.root, '.place');
  }

  async check(): Promise<void> {
    const probe = join(this.root, `.check-${randomUUID()}`);
    await this.makeFolder(this.root);
    await writeFile(probe, 'writable', { flag: 'wx', flush: true });
    await rm(probe);
  }

  async close(): Promise<void> {}

  private async openFile(key: string): Promise<FileHandle> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await this.existingPathOf(key).then((path) => open(path, flags)).catch((error) => {
      throw isAbsent(error) ? new ObjectNotFound(key) : error;
    });
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new ObjectNotFound(key);
  }

  private pathOf(key: string): string {
    assertStorageKey(key);
    const path = resolve(this.root, key);
    if (!path.startsWith(this.root + sep)) throw new InvalidStorageKey();
    return path;
  }

  private async existingPathOf(key: string): Promise<string> {
    const path = this.pathOf(key);
    return join(await this.unlinked(dirname(path)), basename(path));
  }

  private async makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await this.unlinked(folder);
  }

  /** The real path of a folder, refused when a link on the way below the root leads elsewhere. */
  private async unlinked(folder: string): Promise<string> {
    const real = await realpath(folder);
    const expected = join(await realpath(this.root), relative(this.root, folder));
    if (real !== expected) throw new InvalidStorageKey();
    return real;
  }
}

const isAbsent = (error: unknown): boolean => ABSENT.has((error as NodeJS.ErrnoException).code ?? '');

async function copy(source: string | Readable, target: string, signal?: AbortSignal): Promise<void> {
  if (source instanceof Readable) {
    // Opened first: a stream that opens it late could make it after it was removed.
    const file = await open(target, 'wx');
    return pipeline(source, file.createWriteStream(), { signal });
  }
  // A file system that can share blocks copies in no time.
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** Waits until a file's bytes, or a folder's entries, are on the disk. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
