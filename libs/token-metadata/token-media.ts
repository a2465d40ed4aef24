import { extname } from 'node:path';
import { variantRow } from '#libs/assets/asset-queries.js';
import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import { THUMBNAIL_SIZE, type Variant, type Variants } from '#libs/assets/thumbnails.js';
import type { Queryable } from '#libs/database/database.js';

/** An asset with what was made of it. */
export interface MediaFile extends AssetRow {
  thumbnails: Variants | null;
  /** They are still to be made. */
  thumbnail_pending: boolean;
}

/** The files of an edition that its token names. */
export interface TokenMedia {
  image: MediaFile | null;
  animation: MediaFile | null;
}

/** Of one edition at most, the last step's first. */
const LOOKED_AT = 20;

/**
 * Of each generation the first image, and the first file that is played; where it has neither, its first file. What
 * the last step made comes before what steps before it made.
 */
export async function mediaOf(db: Queryable, generationIds: string[]): Promise<(id: string) => TokenMedia> {
  const rows = await db.query<MediaFile>(
    `select f.* from unnest($1::uuid[]) as g (id) cross join lateral (
       select ${ASSET_COLUMNS}, f.thumbnails, f.thumbnail_due is not null as thumbnail_pending from flat_file f
        where f.generation_id = g.id and f.shown and f.deleted_at is null
        order by f.step_id desc, f.index, f.id limit ${LOOKED_AT}) as f`,
    [generationIds],
  );
  const byGeneration = new Map<string | null, MediaFile[]>();
  for (const row of rows) byGeneration.set(row.generation_id, [...(byGeneration.get(row.generation_id) ?? []), row]);
  return (id) => chosen(byGeneration.get(id) ?? []);
}

function chosen(files: MediaFile[]): TokenMedia {
  const image = files.find(({ mime_type }) => mime_type.startsWith('image/')) ?? null;
  const played = files.find(({ mime_type }) => /^(video|audio|model)\//.test(mime_type)) ?? null;
  return { image, animation: played ?? (image ? null : (files[0] ?? null)) };
}

/** What an edition is recognised by: its image, or its video once that has a poster, or will have. */
export function pictureOf({ image, animation }: TokenMedia): MediaFile | null {
  if (image) return image;
  return animation?.thumbnails || animation?.thumbnail_pending ? animation : null;
}

/** What is looked at without playing it: the image, else the first frame of the video. */
export const stillOf = (media: TokenMedia): AssetRow | null => media.image ?? variantOf(media.animation, 'poster');

/** What stands for the edition where there is little room. */
export const thumbnailOf = (media: TokenMedia): AssetRow | null => variantOf(pictureOf(media), `${THUMBNAIL_SIZE}`);

function variantOf(file: MediaFile | null, variant: Variant): AssetRow | null {
  const made = file?.thumbnails?.[variant];
  return file && made ? variantRow(file, variant, made) : null;
}

/** In the order in which a token names them. */
export const filesOf = (media: TokenMedia): AssetRow[] =>
  [stillOf(media), media.animation].filter((file) => file !== null);

/** `7.png`: of a token's two files, kinds differ and so do extensions. */
export const mediaFileName = (number: number, { storage_key }: AssetRow): string =>
  `${number}${extname(storage_key)}`;
