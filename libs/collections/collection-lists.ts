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

export interface OwnFilter {
  project?: string | undefined;
  status?: CollectionRow['status'] | undefined;
  /** Part of title or description, in any case. */
  q?: string | undefined;
}

/** The sort key of a collection: its time of creation as text, to the microsecond, and its id. */
export type CollectionKey = [createdAt: string, id: string];

/** A collection as lists show it. */
export type ListedCollection = Omit<CollectionView, 'data'>;

export type ListedRow = Omit<CollectionRow, 'data'> & PreviewRow & { created_at_text: string };

interface Place {
  limit: number;
  /** The collection before the page. */
  after: CollectionKey | null;
}

/** Collections without their sets, newest first. */
export class CollectionLists {
  constructor(
    private readonly database: Queryable,
    private readonly urls: FileUrls,
  ) {}

  /** What everyone may look through: collections that are published and not archived. */
  published({ q, blockchain }: PublicFilter, { limit, after }: Place): Promise<ListedRow[]> {
    const [time = null, id = null] = after ?? [];
    const length = [...(q ?? '')].length;
    const isShort = length === 1 || length === 2;
    const text = isShort ? q : q && `%${escapeLike(q)}%`;
    return this.database.query<ListedRow>(isShort ? BEGINNING[length] : PUBLISHED, [time, id, limit, text || null, blockchain ?? null]);
  }

  /** One user's, in any state. */
  owned(userId: string, { project, status, q }: OwnFilter, { limit, after }: Place): Promise<ListedRow[]> {
    const [time = null, id = null] = after ?? [];
    const filter = [userId, project ?? null, status ?? null, q ? `%${escapeLike(q)}%` : null];
    return this.database.query<ListedRow>(OWNED, [time, id, limit, ...filter]);
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
   where ${matches}
     and ($1::timestamptz is null or (created_at, id) < ($1::timestamptz, $2::uuid))
   order by created_at desc, id desc
   limit $3`;

const says = (text: string) => `(${text}::text is null or coalesce(title, '') || ' ' || coalesce(description, '') ilike ${text})`;

const published = (matches: string) =>
  listed(`status = 'published' and not archived and ${matches} and ($5::text is null or blockchain = $5)`);

const PUBLISHED = published(says('$4'));

/** So few characters have no trigram: the whole list would be walked for a rare one. */
const BEGINNING = {
  1: published('lower(left(title, 1)) = lower($4::text)'),
  2: published('lower(left(title, 2)) = lower($4::text)'),
};

const OWNED = listed(`user_id = $4
     and ($5::uuid is null or project_id = $5)
     and ($6::text is null or status = $6)
     and ${says('$7')}`);

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
