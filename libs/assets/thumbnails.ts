/** Longest sides in pixels. A thumbnail is never larger than what it is of. */
export const THUMBNAIL_SIZES = [256, 512, 1_024] as const;
/** The one that `thumbnail_url` leads to. */
export const THUMBNAIL_SIZE = 512;

/** What is made of an asset: `poster` is the first frame of a video, the rest are WebP of that size. */
export type Variant = `${(typeof THUMBNAIL_SIZES)[number]}` | 'poster';

/** A file that was made of an asset. */
export interface VariantFile {
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
  width: number;
  height: number;
}

/** As rows keep them. */
export type Variants = Partial<Record<Variant, VariantFile>>;

/** Key of what is made of the asset at `key`: beside it, so that both go together. */
export const variantKey = (key: string, variant: Variant): string =>
  `${key}.${variant}.${variant === 'poster' ? 'jpg' : 'webp'}`;

const VARIANT_KEY = new RegExp(`^(.+)\\.(?:(${THUMBNAIL_SIZES.join('|')})\\.webp|(poster)\\.jpg)$`);

/** Which variant of which asset lies at `key`; null: the key is an asset's own. */
export function variantAt(key: string): { of: string; variant: Variant } | null {
  const [, of, size, poster] = VARIANT_KEY.exec(key) ?? [];
  return of === undefined ? null : { of, variant: (size ?? poster) as Variant };
}

/** Keys of all that may have been made of the asset at `key`. */
export const variantKeys = (key: string): string[] =>
  [...THUMBNAIL_SIZES.map((size) => `${size}` as const), 'poster' as const].map((variant) => variantKey(key, variant));

/** Formats of images that are decoded. SVG is not among them: it is a program. */
export const RASTER_TYPES = [
  'image/png', 'image/apng', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif', 'image/tiff',
];

/** SQL of whether a file of the type `mimeType` (an expression) gets thumbnails. */
export const isPictured = (mimeType: string): string =>
  `(${mimeType} in (${RASTER_TYPES.map((type) => `'${type}'`).join(', ')}) or ${mimeType} like 'video/%')`;
