import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import { presentAsset } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { Queryable } from '#libs/database/database.js';
import { escapeLike } from '#libs/database/like.js';
import type { Blockchain } from './collection-metadata.js';
import { PREVIEW_COLUMNS, presentPreview, type PreviewRow } from './collection-preview.js';
import { OF_SHOWN_EDITION } from './editions.js';
import { collectionView, type CollectionRow, type CollectionView } from './collection.js';

/** Images that a list shows of each collection, the newest: of five times as many, where some have been replaced. */
const LISTED_IMAGES = 4;

export interface PublicFilter {
  /** Part of title or description, in any case; of one or two characters, what the title begins with. */
  q?: string | undefined;
  blockchain?: Blockchain | undefined;
}

/** The sort key of a collection: its time of creation as text, to the microsecond, and its id. */
export type CollectionKey = [createdAt: string, id: string];

/** A published collection as lists show it. */
export type ListedCollection = Omit<CollectionView, 'data'>;

type ListedRow = Omit<CollectionRow, 'data'> & PreviewRow & { created_at_text: string };

/** What everyone may look through: collections that are published and not archived. */
export class PublicCollections {
  constructor(
    private readonly database: Queryable,
    private readonly urls: FileUrls,
  ) {}

  /** Newest first, after the collection that `after` names. */
  list(
    { q, blockchain }: PublicFilter,
    { limit, after }: { limit: number; after: CollectionKey | null },
  ): Promise<ListedRow[]> {
    const [time = null, id = null] = after ?? [];
    const length = [...(q ?? '')].length;
    const isShort = length === 1 || length === 2;
    const text = isShort ? q : q && `%${escapeLike(q)}%`;
    return this.database.query<ListedRow>(isShort ? BEGINNING[length] : LIST, [text || null, blockchain ?? null, time, id, limit]);
  }

  async present(rows: ListedRow[]): Promise<ListedCollection[]> {
    const assets = await this.database.query<AssetRow>(NEWEST_ASSETS, [rows.map(({ id }) => id), LISTED_IMAGES]);
    return rows.map((row) => {
      const own = assets.filter(({ collection_id }) => collection_id === row.id);
      const images = own.map((asset) => presentAsset(asset, this.urls).url);
      const { data: _set, ...shown } = collectionView({ ...row, data: null }, images, presentPreview(row, this.urls));
      return shown;
    });
  }
}

const listed = (matches: string) => `
  select id, user_id, project_id, title, description, status, c.cover_image_url, editions, price, currency, blockchain,
         publish_date, archived, batch_mint_enabled, batch_max_tokens, encryption_enabled, is_current, remixable,
         created_at, c.updated_at, created_at::text as created_at_text, ${PREVIEW_COLUMNS}
    from collection c left join collection_preview p on p.collection_id = c.id
   where status = 'published' and not archived
     and ${matches}
     and ($2::text is null or blockchain = $2)
     and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
   order by created_at desc, id desc
   limit $5`;

const LIST = listed(`($1::text is null or coalesce(title, '') || ' ' || coalesce(description, '') ilike $1)`);

/** So few characters have no trigram: the whole list would be walked for a rare one. */
const BEGINNING = {
  1: listed('lower(left(title, 1)) = lower($1::text)'),
  2: listed('lower(left(title, 2)) = lower($1::text)'),
};

const NEWEST_ASSETS = `
  select asset.*
    from unnest($1::uuid[]) as wanted (id)
   cross join lateral (
     select ${ASSET_COLUMNS} from (
       select * from flat_file where collection_id = wanted.id and shown and deleted_at is null
        order by id desc limit ${5 * LISTED_IMAGES}) f
      where ${OF_SHOWN_EDITION}
      order by f.id desc limit $2
   ) asset
   order by asset.id desc`;
