import type { Database, Transaction } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { storedSet } from '#libs/encryption/sealed-set.js';
import { collectionNotFound, fieldError } from '#libs/errors/errors.js';
import type { Caller } from '#libs/identity/caller.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { borrowedAfter, storedBorrowed } from './borrowed-set.js';
import { recordHistory } from './collection-history.js';
import type { CollectionMetadata } from './collection-metadata.js';
import { findSource } from './collection-source.js';
import { collectionView, type CollectionRow } from './collection.js';
import { withComponentIds, type CollectionDrafts } from './drafts.js';
import { reserveEditions } from './editions.js';
import { lockCollection, type OwnCollection } from './locked-collection.js';
import { reserveCollection, storedMetadata } from './new-collection.js';

export interface UpdateRequest {
  projectId: string;
  id: string;
  /** What is absent stays as it is, what is null is no longer said. */
  metadata: CollectionMetadata;
  /** An instruction set, unchecked; null: an empty one; absent: the set stays. */
  data: unknown;
}

export interface PreparedUpdate {
  own: OwnCollection;
  projectId: string;
  metadata: CollectionMetadata;
  /** Null: the set stays. */
  replaced: { set: InstructionSet; componentIds: number[] } | null;
}

/** Changes what a collection says and makes. Jobs go on with the set they were submitted with. */
export class CollectionUpdates {
  constructor(
    private readonly database: Database,
    private readonly drafts: CollectionDrafts,
    private readonly keys: CollectionKeys,
  ) {}

  /** Throws 400 naming all faults of the set, `PROJECT_NOT_FOUND`. */
  async prepare(caller: Caller, { projectId, id, metadata, data }: UpdateRequest): Promise<PreparedUpdate> {
    const { userId } = caller;
    const read = data === undefined ? null : await this.drafts.setOf(caller, data);
    const steps = read?.set.steps.length ?? 0;
    const { componentIds } = await reserveCollection(this.database, { userId, projectId, steps });
    const replaced = read && { set: withComponentIds(read.set, componentIds, read.registry), componentIds };
    return { own: { id, userId }, projectId, metadata, replaced };
  }

  /**
   * Writes it, and into the history what was before. Throws `COLLECTION_NOT_FOUND`, `EDITIONS_EXHAUSTED` where more
   * are finished or under way than there shall be, 400 for a published collection without a title and for one that
   * shall be encrypted, or not, and is made already: its history and its files would tell.
   */
  async commit(tx: Transaction, { own, projectId, metadata, replaced }: PreparedUpdate): Promise<void> {
    const before = await lockCollection(tx, own);
    if (before.project_id !== projectId) throw collectionNotFound();
    assertPossible(metadata, before);
    const { encryption_enabled: _decided, ...said } = metadata;
    const seal = replaced && before.encryption_enabled ? await this.keys.of(own.id, tx) : null;
    const source = replaced && (await this.sourceAfter(tx, own, replaced.set, seal));
    const given = { ...storedMetadata(said), ...(replaced && { data: storedSet(seal, replaced.set) }) };
    await tx.query(UPDATE, [own.id, JSON.stringify(given), replaced?.componentIds ?? []]);
    if (metadata.editions) await reserveEditions(tx, own, []);
    await recordHistory(tx, own, 'updated', { ...source, before: copyOf(before, replaced !== null) });
  }

  /** A set that was written by hand is no workflow's any more; what was another's in it stays another's. */
  private async sourceAfter(
    tx: Transaction,
    own: OwnCollection,
    after: InstructionSet,
    seal: CollectionSeal | null,
  ): Promise<object> {
    const { borrowed, set } = await findSource(tx, this.keys, own);
    const kept = borrowed && storedBorrowed(seal, borrowedAfter(borrowed, set, after));
    return { origin: null, ...(kept && { borrowed: kept }) };
  }
}

function assertPossible({ title, encryption_enabled: encrypted }: CollectionMetadata, before: CollectionRow): void {
  if (before.status === 'published' && title === null) {
    throw fieldError('title', 'must be there while the collection is published');
  }
  if (encrypted !== undefined && Boolean(encrypted) !== before.encryption_enabled) {
    throw fieldError('encryption_enabled', 'is decided when the collection is made');
  }
}

/** The collection as it was; its set, as the row kept it, only where that was replaced. */
function copyOf(before: CollectionRow, withSet: boolean): object {
  const { images: _images, preview_images: _previews, urls: _urls, data, ...fields } = collectionView(before, []);
  return { ...fields, ...(withSet && { data }), is_current: false };
}

/** New steps are new components; the old ones stay for the files that were made by them. */
const UPDATE = `
  with component_row as (
    insert into component (id, collection_id) select unnest($3::bigint[]), $1
  )
  update collection c
     set (title, description, editions, price, currency, blockchain, publish_date, cover_image_url,
          batch_mint_enabled, batch_max_tokens, archived, remixable, data, updated_at) = (
       select p.title, p.description, p.editions, p.price, p.currency, p.blockchain, p.publish_date, p.cover_image_url,
              coalesce(p.batch_mint_enabled, false), p.batch_max_tokens, coalesce(p.archived, false),
              coalesce(p.remixable, false), p.data, now()
         from jsonb_populate_record(c, $2::jsonb) p)
   where id = $1`;
