import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AssetStore, StoredFile } from '#libs/engine/generation-store.js';
import { AppError } from '#libs/errors/app-error.js';
import {
  inputFault, worldFault, type AssetHandle, type AssetReader, type ProducedAsset,
} from '#libs/nodes/node.js';
import { ObjectNotFound, type Storage } from '#libs/storage/storage.js';
import { traced } from '#libs/tracepoints/tracepoints.js';
import { generatedKey, renderKey, type AssetSlot } from './asset-key.js';
import { fileName } from './file-name.js';
import { canRender, encodeImage, measureImage, toJpeg } from './image.js';
import { detectMediaType, type MediaType } from './media-type.js';
import { isPlayed, readPlayed, type Played } from './playing-time.js';
import type { Spool, SpooledFile } from './spool.js';

/** Generated images are measured, not decoded: this refuses only what no client could open. */
const MAX_PIXELS = 500e6;
/** Renders are decoded, and a stranger's model may give a few bytes that say they are many. */
const MAX_RENDER_PIXELS = 64e6;
/** What a node may take into memory whole; it opens larger files as streams. */
const MAX_READ_BYTES = 256 * 1024 ** 2;
const RETRY_DELAYS_MS = [200, 1_000];
/** Rows keep names in the clear, and a node may make them of what it was given. */
const UNTOLD_NAME = 'file';
const JPEG: MediaType = { mimeType: 'image/jpeg', extension: 'jpg' };

/**
 * The files of steps: inputs are read from storage, outputs are brought there. Writes no row, which is
 * the checkpoint's part (`insertAssets`). Failures are `NodeError`s, permanent when the file is at fault.
 */
export class AssetFiles implements AssetStore, AssetReader {
  constructor(
    private readonly storage: Storage,
    private readonly spool: Spool,
    private readonly limits: { maxBytes: number },
  ) {}

  /**
   * Spools, hashes, judges by its bytes and stores one file under a key of its place and content, so that
   * doing it twice leaves one object. Memory stays bounded whatever the size.
   */
  async store(slot: AssetSlot, produced: ProducedAsset, signal: AbortSignal): Promise<StoredFile> {
    try {
      return await this.spool.hold(produced.bytes, { maxBytes: this.limits.maxBytes, signal }, (file) =>
        this.keep(slot, produced, file, signal),
      );
    } catch (error) {
      throw error instanceof AppError ? inputFault(error.code, error.message) : error;
    }
  }

  /** The whole file, byte for byte what was stored. */
  async read(handle: AssetHandle, signal?: AbortSignal): Promise<Buffer> {
    if (handle.size > MAX_READ_BYTES) {
      throw inputFault('ASSET_TOO_LARGE', `The file ${handle.name} is too large to be read at once`);
    }
    const bytes = await buffer(await this.open(handle, signal)).catch(() => {
      throw unreadable(handle);
    });
    if (createHash('sha256').update(bytes).digest('hex') !== handle.sha256) throw unreadable(handle);
    return bytes;
  }

  async open(handle: AssetHandle, signal?: AbortSignal): Promise<Readable> {
    return this.storage.open(handle.storageKey, { signal }).catch((error: unknown) => {
      if (!(error instanceof ObjectNotFound)) throw unreadable(handle);
      throw inputFault('ASSET_NOT_FOUND', `The file ${handle.name} is gone`);
    });
  }

  private async keep(
    slot: AssetSlot,
    produced: ProducedAsset,
    spooled: SpooledFile,
    signal: AbortSignal,
  ): Promise<StoredFile> {
    const type = await detectMediaType(spooled.path, produced.mimeType);
    const { render } = slot;
    if (render === undefined) return this.keepAs(slot, produced, spooled, type, signal);
    if (!canRender(type.mimeType)) throw inputFault('UPSTREAM_ERROR', 'The model gave something that is no image');
    const { name, bytes } = produced;
    return this.spool.holdMade(
      (to) => encodeImage(toJpeg(spooled.path, MAX_RENDER_PIXELS), to),
      { maxBytes: this.limits.maxBytes, signal },
      (image) => this.keepAs(slot, { name, bytes }, image, JPEG, signal, renderKey(render, slot.index)),
    );
  }

  private async keepAs(
    slot: AssetSlot,
    produced: ProducedAsset,
    { path, size, sha256 }: SpooledFile,
    { mimeType, extension }: MediaType,
    signal: AbortSignal,
    storage_key = generatedKey(slot, sha256, extension),
  ): Promise<StoredFile> {
    const { width, height, duration } = await measure(produced, path, mimeType);
    await this.put(storage_key, path, mimeType, signal);
    const name = fileName(slot.encryptedFor === undefined ? produced.name : UNTOLD_NAME, extension);
    return {
      storage_key, name, mime_type: mimeType, size, sha256,
      width, height, duration,
    };
  }

  private async put(key: string, path: string, mimeType: string, signal: AbortSignal): Promise<void> {
    for (const delay of [...RETRY_DELAYS_MS, null]) {
      signal.throwIfAborted();
      try {
        return await traced('put', () => this.storage.put(key, path, { mimeType, signal }));
      } catch {
        signal.throwIfAborted();
        if (delay === null) throw worldFault('STORAGE_FAILED', 'The file could not be stored');
        await sleep(delay, undefined, { signal });
      }
    }
  }
}

/** What the file itself says, where who made it did not. To measure a long GIF its decoder takes all of it into memory: who made one says how large it is. */
async function measure(
  { width, height, duration }: ProducedAsset,
  path: string,
  mimeType: string,
): Promise<Played> {
  const told = { width: width ?? null, height: height ?? null, duration: duration ?? null };
  const isSized = width !== undefined && height !== undefined;
  if (!isPlayed(mimeType)) return isSized ? told : { ...told, ...(await measureImage(path, mimeType, MAX_PIXELS)) };
  if (isSized && duration !== undefined) return told;
  const played = await readPlayed(path, mimeType);
  return { width: width ?? played.width, height: height ?? played.height, duration: duration ?? played.duration };
}

const unreadable = (handle: AssetHandle) =>
  worldFault('STORAGE_FAILED', `The file ${handle.name} could not be read`);
