import { isDeepStrictEqual } from 'node:util';
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
import { componentIdOf, withComponentIds, type CollectionDrafts } from './drafts.js';
import { reserveEditions } from './editions.js';
import { lockCollection, type OwnCollection } from './locked-collection.js';
import { MAX_INHERITED, reserveCollection, storedMetadata } from './new-collection.js';

export interface UpdateRequest {
  projectId: string;
  id: string;
  /** What is absent stays as it is, what is null is no longer said. */
  metadata: CollectionMetadata;
  /** An instruction set, unchecked; null: an empty one; absent: the set stays. */
  data: unknown;
  /** Where the set stands in the request; default `data`. */
  at?: string;
}

export interface PreparedUpdate {
  own: OwnCollection;
  projectId: string;
  metadata: CollectionMetadata;
  /** Null: the set stays. */
  replaced: { set: InstructionSet; componentIds: number[] } | null;
  /** The set that it was made from, where a part of that stays: it counts only while that is the set. */
  basedOn?: InstructionSet | null;
}

/** The set was changed since it was read: what was made from it is made again. */
export class ChangedMeanwhile extends Error {}

/** Changes what a collection says and makes. Jobs go on with the set they were submitted with. */
export class CollectionUpdates {
  constructor(
    private readonly database: Database,
    private readonly drafts: CollectionDrafts,
    private readonly keys: CollectionKeys,
  ) {}

  /** Throws 400 naming all faults of the set, `PROJECT_NOT_FOUND`. */
  async prepare(caller: Caller, { projectId, id, metadata, data, at }: UpdateRequest): Promise<PreparedUpdate> {
    const { userId } = caller;
    const read = data === undefined ? null : await this.drafts.setOf(caller, data, at);
    const steps = read?.set.steps.length ?? 0;
    const { componentIds } = await reserveCollection(this.database, { userId, projectId, steps });
    const replaced = read && { set: withComponentIds(read.set, componentIds, read.registry), componentIds };
    return { own: { id, userId }, projectId, metadata, replaced };
  }

  /**
   * Writes it, and into the history what was before, if it changes anything. Throws `COLLECTION_NOT_FOUND`, `EDITIONS_EXHAUSTED` where more
   * are finished or under way than there shall be, 400 for a published collection without a title and for one that
   * shall be encrypted, or not, and is made already: its history and its files would tell; `ChangedMeanwhile`.
   */
  async commit(tx: Transaction, update: PreparedUpdate): Promise<void> {
    const { own, metadata, replaced } = update;
    const before = await lockCollection(tx, own);
    assertPossible(before, update);
    const { encryption_enabled: _decided, ...said } = metadata;
    const seal = replaced && before.encryption_enabled ? await this.keys.of(own.id, tx) : null;
    const source = replaced && (await this.sourceAfter(tx, own, replaced.set, seal));
    const given = { ...storedMetadata(said), ...(replaced && { data: storedSet(seal, replaced.set) }) };
    const changed = await tx.query(UPDATE, [
      own.id, JSON.stringify(given), replaced?.componentIds ?? [], replaced?.set.steps.map(heirOf) ?? [],
    ]);
    if (metadata.editions) await reserveEditions(tx, own, []);
    if (changed.length === 0 && !replaced) return;
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

function assertPossible(before: CollectionRow, { projectId, metadata, basedOn }: PreparedUpdate): void {
  if (before.project_id !== projectId) throw collectionNotFound();
  if (basedOn !== undefined && !isDeepStrictEqual(before.data, basedOn)) throw new ChangedMeanwhile();
  const { title, encryption_enabled: encrypted } = metadata;
  if (before.status === 'published' && title === null) {
    throw fieldError('title', 'must be there while the collection is published');
  }
  if (encrypted !== undefined && Boolean(encrypted) !== before.encryption_enabled) {
    throw fieldError('encryption_enabled', 'is decided when the collection is made');
  }
}

const heirOf = ({ fromId }: InstructionSet['steps'][number]): string | null =>
  fromId === undefined ? null : componentIdOf(fromId);

/** The collection as it was; its set, as the row kept it, only where that was replaced. */
function copyOf(before: CollectionRow, withSet: boolean): object {
  const { images: _images, preview_images: _previews, urls: _urls, data, ...fields } = collectionView(before, []);
  return { ...fields, ...(withSet && { data }), is_current: false };
}

/** What a change may set, in the order of `wanted`. */
const SETTABLE = `title, description, editions, price, currency, blockchain, publish_date, cover_image_url,
  batch_mint_enabled, batch_max_tokens, archived, remixable, data`;

/**
 * New steps are new components; the old ones stay for the files that were made by them, and a step that goes on from
 * one of this collection (`$4`: its `fromId`) keeps them, too.
 */
const UPDATE = `
  with component_row as (
    insert into component (id, collection_id) select unnest($3::bigint[]), $1
  ), file_link as (
    insert into component_flat_file (component_id, flat_file_id)
    select heir.id, link.flat_file_id
      from unnest($3::bigint[], $4::bigint[]) as heir (id, inherits_from)
      join component old on old.id = heir.inherits_from and old.collection_id = $1
     cross join lateral (
       select flat_file_id from component_flat_file
        where component_id = old.id order by flat_file_id desc limit ${MAX_INHERITED}) link
  ), wanted as (
    select p.title, p.description, p.editions, p.price, p.currency, p.blockchain, p.publish_date, p.cover_image_url,
           coalesce(p.batch_mint_enabled, false), p.batch_max_tokens, coalesce(p.archived, false),
           coalesce(p.remixable, false), p.data
      from collection c cross join jsonb_populate_record(c, $2::jsonb) p
     where c.id = $1
  )
  update collection c
     set (${SETTABLE}) = (select * from wanted), updated_at = now()
   where id = $1 and exists (select ${SETTABLE} except select * from wanted)
  returning id`;
