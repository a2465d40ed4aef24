import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Queryable } from '#libs/database/database.js';
import { fieldError } from '#libs/errors/errors.js';
import { KEY_BYTES } from './aes-gcm.js';
import { CollectionSeal, LOST, type Opener } from './collection-seal.js';
import { KeyUnavailable, type KeyManagement, type WrappedKey } from './key-management.js';

/** Data keys that a process knows at a time, and for how long: each costs a query, and a call of a KMS. */
const KNOWN = 1_000;
const KNOWN_FOR_MS = 5 * 60_000;
/** Keys that are wrapped anew in one transaction. */
const BATCH = 100;

/** The key of a collection that has no row yet. */
export interface NewKey extends WrappedKey {
  seal: CollectionSeal;
}

/** Some of the keys that were to be wrapped anew. */
export interface Rewrapped {
  renewed: number;
  /** Collections whose key could not be had, and lies under the former master key still. */
  failed: string[];
  /** Where to go on from; null: these were the last. */
  last: string | null;
}

interface KeyRow {
  id: string;
  wrapped_key: Buffer | null;
  master_key: string | null;
}

/** The data keys of encrypted collections: each lies, wrapped, in its collection's row, and is gone with it. */
export class CollectionKeys {
  private readonly known = new LRUCache<string, CollectionSeal, Queryable>({
    max: KNOWN, ttl: KNOWN_FOR_MS, fetchMethod: (id, _old, { context }) => this.find(id, context),
    // Who waits for one has it, though a transaction has found it first.
    ignoreFetchAbort: true,
  });

  constructor(
    private readonly database: Queryable,
    private readonly management: KeyManagement | null,
  ) {}

  /** For a collection that is about to be made. Throws 400 naming `field` where none can be encrypted. */
  async make(collectionId: string, field: string): Promise<NewKey> {
    if (!this.management) throw fieldError(field, 'cannot be had here: no master key is configured (KEY_MANAGEMENT)');
    const dataKey = randomBytes(KEY_BYTES);
    const wrapped = await this.management.wrap(dataKey, collectionId);
    return { ...wrapped, seal: new CollectionSeal(dataKey, collectionId) };
  }

  /**
   * `tx`: the transaction, within one. It waits for no lookup of another connection, which may wait for this one to be
   * given back. Throws `KeyUnavailable`.
   */
  async of(collectionId: string, tx?: Queryable): Promise<CollectionSeal> {
    if (!tx) return (await this.known.fetch(collectionId, { context: this.database })) as CollectionSeal;
    const known = this.known.get(collectionId);
    if (known) return known;
    const seal = await this.find(collectionId, tx);
    this.known.set(collectionId, seal);
    return seal;
  }

  /** For reading what rows beside the collection's own still hold; null: it was deleted. Throws `KeyUnavailable`. */
  async opener(collectionId: string | null, tx?: Queryable): Promise<Opener> {
    return collectionId === null ? LOST : this.of(collectionId, tx);
  }

  /**
   * Wraps keys anew that were wrapped under a former master key, some of them; what they encrypt stays as it is. One
   * that cannot be had does not keep the others. `after`: where the last call ended.
   */
  async rewrap(after: string | null = null): Promise<Rewrapped> {
    const done: Rewrapped = { renewed: 0, failed: [], last: null };
    if (!this.management) return done;
    const rows = await this.database.query<KeyRow>(OUTDATED, [this.management.masterKey, BATCH, after]);
    for (const row of rows) {
      if (await this.rewrapped(this.management, row)) done.renewed += 1;
      else done.failed.push(row.id);
    }
    return { ...done, last: rows.at(-1)?.id ?? null };
  }

  /** False: the key cannot be had. */
  private async rewrapped(management: KeyManagement, row: KeyRow): Promise<boolean> {
    try {
      const { masterKey, wrapped } = await management.wrap(await this.unwrapped(row), row.id);
      await this.database.query(REWRAP, [row.id, wrapped, masterKey, row.wrapped_key]);
      return true;
    } catch (error) {
      if (error instanceof KeyUnavailable) return false;
      throw error;
    }
  }

  private async find(id: string, db: Queryable): Promise<CollectionSeal> {
    const [row] = await db.query<KeyRow>(
      'select id, wrapped_key, master_key from collection where id = $1', [id],
    );
    if (!row) throw new KeyUnavailable(`The collection ${id} is gone, and its key with it`);
    return new CollectionSeal(await this.unwrapped(row), id);
  }

  private async unwrapped({ id, wrapped_key: wrapped, master_key: masterKey }: KeyRow): Promise<Buffer> {
    if (!wrapped || !masterKey) throw new KeyUnavailable(`The collection ${id} has no key`);
    if (!this.management) throw new KeyUnavailable(`The collection ${id} is encrypted, and KEY_MANAGEMENT is none`);
    return this.management.unwrap({ wrapped, masterKey }, id);
  }
}

const OUTDATED = `
  select id, wrapped_key, master_key from collection
   where wrapped_key is not null and master_key <> $1 and ($3::uuid is null or id > $3) order by id limit $2`;

/** One that another process has wrapped meanwhile stays. */
const REWRAP = 'update collection set wrapped_key = $2, master_key = $3 where id = $1 and wrapped_key = $4';
