import { extname } from 'node:path';
import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import type { Queryable } from '#libs/database/database.js';

/** The files of an edition that its token names. */
export interface TokenMedia {
  image: AssetRow | null;
  animation: AssetRow | null;
}

/** Of one edition at most, the last step's first. */
const LOOKED_AT = 20;

/**
 * Of each generation the first image, and the first file that is played; where it has neither, its first file. What
 * the last step made comes before what steps before it made.
 */
export async function mediaOf(db: Queryable, generationIds: string[]): Promise<(id: string) => TokenMedia> {
  const rows = await db.query<AssetRow>(
    `select f.* from unnest($1::uuid[]) as g (id) cross join lateral (
       select ${ASSET_COLUMNS} from flat_file f
        where f.generation_id = g.id and f.shown and f.deleted_at is null
        order by f.step_id desc, f.index, f.id limit ${LOOKED_AT}) as f`,
    [generationIds],
  );
  const byGeneration = new Map<string | null, AssetRow[]>();
  for (const row of rows) byGeneration.set(row.generation_id, [...(byGeneration.get(row.generation_id) ?? []), row]);
  return (id) => chosen(byGeneration.get(id) ?? []);
}

function chosen(files: AssetRow[]): TokenMedia {
  const image = files.find(({ mime_type }) => mime_type.startsWith('image/')) ?? null;
  const played = files.find(({ mime_type }) => /^(video|audio|model)\//.test(mime_type)) ?? null;
  return { image, animation: played ?? (image ? null : (files[0] ?? null)) };
}

/** In the order in which a token names them. */
export const filesOf = ({ image, animation }: TokenMedia): AssetRow[] =>
  [image, animation].filter((file) => file !== null);

/** `7.png`: of a token's two files, kinds differ and so do extensions. */
export const mediaFileName = (number: number, { storage_key }: AssetRow): string =>
  `${number}${extname(storage_key)}`;
