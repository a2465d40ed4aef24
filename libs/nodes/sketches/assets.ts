import { OutboundError } from '#libs/outbound/outbound-error.js';
import type { RemoteImage, RemoteImages } from '#libs/outbound/remote-images.js';
import type { SketchRun } from '#libs/sandbox/sketch-renderer.js';
import {
  AssetHandle, inputFault, NodeError, type AssetReader, type FetchedFile,
} from '../node.js';

/** An image of another host. With `sha256`, no other bytes are taken for it. */
interface RemoteSource {
  url: string;
  sha256?: string;
}
/** A file of ours, or an image of another host. Payloads are checked before references are in their place. */
export type SketchAsset = AssetHandle | RemoteSource | string;
type Fault = { path: string; message: string };

/** Of all images of a sketch together, each counted once. */
const MAX_BYTES = 128 * 1024 ** 2;
const SHA256 = /^[\da-f]{64}$/;
const REFERENCE = /^(\{\{.*\}\}|\d{1,18}|(https?:\/\/[^/]+)?\/files\/.+)$/;

/** What is wrong with a sketch's images, as far as that can be told before any is loaded. */
export const assetFaults = (assets: Record<string, SketchAsset> | undefined, images: RemoteImages): Fault[] =>
  Object.entries(assets ?? {}).flatMap(([path, value]) => {
    const message = faultOf(value, images);
    return message === null ? [] : [{ path: `assets.${path}`, message }];
  });

function faultOf(value: unknown, images: RemoteImages): string | null {
  if (value instanceof AssetHandle) return null;
  if (typeof value === 'string' && REFERENCE.test(value)) return null;
  if (typeof value === 'object' && value !== null && '$ref' in value) return null;
  const source = remoteSource(value);
  if (!source) return "must be a reference, an asset's id or /files URL, or an http(s) URL";
  return images.faultOf(source.url);
}

function remoteSource(value: unknown): RemoteSource | null {
  if (typeof value === 'string') return isWebUrl(value) ? { url: value } : null;
  const { url, sha256, ...more } = Object(value) as Record<string, unknown>;
  if (typeof url !== 'string' || !isWebUrl(url) || Object.keys(more).length > 0) return null;
  if (sha256 === undefined) return { url };
  return typeof sha256 === 'string' && SHA256.test(sha256) ? { url, sha256 } : null;
}

const isWebUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** Reads a sketch's images, each once whatever number of paths it has, and nothing of more than fits. */
export class SketchAssets {
  /** What other hosts gave, for the record. */
  readonly fetched: FetchedFile[] = [];
  private readonly read = new Map<string, SketchRun['assets'][string]>();
  private size = 0;

  constructor(
    private readonly files: AssetReader,
    private readonly images: RemoteImages,
    private readonly signal: AbortSignal,
  ) {}

  async load(assets: Record<string, SketchAsset>): Promise<SketchRun['assets']> {
    const loaded: SketchRun['assets'] = {};
    for (const [path, asset] of Object.entries(assets)) {
      const source = asset instanceof AssetHandle ? asset : remoteSource(asset);
      if (!source) throw inputFault('SKETCH_ERROR', `assets.${path} is not an asset`);
      loaded[path] = await this.once(source, path);
    }
    return loaded;
  }

  private async once(source: AssetHandle | RemoteSource, path: string): Promise<SketchRun['assets'][string]> {
    const key = source instanceof AssetHandle ? source.id : `${source.sha256 ?? ''} ${source.url}`;
    const known = this.read.get(key);
    if (known) return known;
    const image = source instanceof AssetHandle ? await this.own(source) : await this.remote(source, path);
    this.read.set(key, image);
    return image;
  }

  private async own(handle: AssetHandle): Promise<SketchRun['assets'][string]> {
    this.weigh(handle.size);
    return { bytes: await this.files.read(handle), mimeType: handle.mimeType };
  }

  private async remote({ url, sha256 }: RemoteSource, path: string): Promise<RemoteImage> {
    const image = await this.images.load(url, this.signal).catch((error: unknown) => {
      if (!(error instanceof OutboundError)) throw error;
      throw new NodeError('IMAGE_NOT_LOADED', `assets.${path}: ${error.message}`, error.permanent);
    });
    if (sha256 !== undefined && image.sha256 !== sha256) {
      throw inputFault('IMAGE_CHANGED', `assets.${path}: The image at its URL is no longer the one it was`);
    }
    this.weigh(image.bytes.length);
    this.fetched.push({ url, sha256: image.sha256 });
    return image;
  }

  private weigh(bytes: number): void {
    this.size += bytes;
    if (this.size > MAX_BYTES) throw inputFault('SKETCH_ERROR', 'The assets have more than 128 MB together');
  }
}
