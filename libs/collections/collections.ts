import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import { presentAsset, type AssetView } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import type { Database } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { openedSet } from '#libs/encryption/sealed-set.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import { PREVIEW_COLUMNS, presentPreview, type PreviewRow } from './collection-preview.js';
import { collectionView, type CollectionRow, type CollectionView } from './collection.js';
import { CountedEditions } from './counted-editions.js';
import { OF_SHOWN_EDITION, summarizeEditions, type EditionSummary } from './editions.js';

/** Assets that one answer shows at most, newest first: of three times as many, where some have been replaced. */
const SHOWN_ASSETS = 100;
/** Collections whose traits are kept counted: up to 1,000 values of each. */
const KEPT_SUMMARIES = 100;

/** A collection as everyone sees it. `data` only where it may be remixed, and never of an encrypted one. */
export interface PublicCollectionView extends Omit<CollectionView, 'data'>, EditionSummary {
  data?: CollectionView['data'];
  assets: AssetView[];
}

/** Reads collections. What the viewer may not see is as unknown as what does not exist. */
export class Collections {
  private readonly summaries = new CountedEditions<EditionSummary>(KEPT_SUMMARIES);

  constructor(
    private readonly database: Database,
    private readonly urls: FileUrls,
    private readonly keys: CollectionKeys,
  ) {}

  /** The owner's full view. Throws `COLLECTION_NOT_FOUND`. */
  async find(userId: string, id: string): Promise<CollectionView> {
    const [row] = await this.database.query<ReadRow>(`${READ} and c.user_id = $2`, [id, userId]);
    if (!row) throw collectionNotFound();
    const seal = row.encryption_enabled ? await this.keys.of(id) : null;
    return this.view({ ...row, data: openedSet(seal, row.data) }, await this.newestAssets(id));
  }

  /** A published collection, unless archived; its owner sees it in any state. Throws `COLLECTION_NOT_FOUND`. */
  async findPublic(viewerId: string | undefined, id: string): Promise<PublicCollectionView> {
    const [row] = await this.database.query<ReadRow>(
      `${READ} and (c.status = 'published' and not c.archived or c.user_id = $2)`,
      [id, viewerId ?? null],
    );
    if (!row) throw collectionNotFound();
    const assets = await this.newestAssets(id);
    const { data, ...shown } = this.view(row, assets);
    const summary = await this.summaries.of(this.database, id, () => summarizeEditions(this.database, id));
    if (!row.encryption_enabled) return { ...shown, ...(row.remixable && { data }), assets, ...summary };
    const seal = await this.keys.of(id);
    return { ...shown, assets, ...summary, traits: seal.openTraits(summary.traits) };
  }

  private view(row: ReadRow, assets: AssetView[]): CollectionView {
    return collectionView(row, assets.map(({ url }) => url), presentPreview(row, this.urls));
  }

  private async newestAssets(id: string): Promise<AssetView[]> {
    const rows = await this.database.query<AssetRow>(
      `select ${ASSET_COLUMNS} from (
         select * from flat_file where collection_id = $1 and shown and deleted_at is null
          order by id desc limit ${3 * SHOWN_ASSETS}) f
        where ${OF_SHOWN_EDITION}
        order by f.id desc limit $2`,
      [id, SHOWN_ASSETS],
    );
    return rows.map((row) => presentAsset(row, this.urls));
  }
}

type ReadRow = CollectionRow & PreviewRow;

const READ = `
  select c.*, ${PREVIEW_COLUMNS}
    from collection c left join collection_preview p on p.collection_id = c.id where c.id = $1`;
