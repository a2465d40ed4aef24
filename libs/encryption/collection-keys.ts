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

interface KeyRow {
  id: string;
  wrapped_key: Buffer | null;
  master_key: string | null;
}

/** The data keys of encrypted collections: each lies, wrapped, in its collection's row, and is gone with it. */
export class CollectionKeys {
  private readonly known = new LRUCache<string, CollectionSeal, Queryable>({
    max: KNOWN, ttl: KNOWN_FOR_MS, fetchMethod: (id, _old, { context }) => this.find(id, context),
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

  /** `db`: the transaction, within one: it shall not wait for another connection. Throws `KeyUnavailable`. */
  async of(collectionId: string, db: Queryable = this.database): Promise<CollectionSeal> {
    return (await this.known.fetch(collectionId, { context: db })) as CollectionSeal;
  }

  /** For reading what rows beside the collection's own still hold; null: it was deleted. Throws `KeyUnavailable`. */
  async opener(collectionId: string | null, db?: Queryable): Promise<Opener> {
    return collectionId === null ? LOST : this.of(collectionId, db);
  }

  /**
   * Wraps keys anew that were wrapped under a former master key, some of them; what they encrypt stays as it is.
   * Returns how many; 0 when no former master key is needed any more. Throws `KeyUnavailable`.
   */
  async rewrap(): Promise<number> {
    const { management } = this;
    if (!management) return 0;
    const rows = await this.database.query<KeyRow>(OUTDATED, [management.masterKey, BATCH]);
    for (const row of rows) {
      const { masterKey, wrapped } = await management.wrap(await this.unwrapped(row), row.id);
      await this.database.query(REWRAP, [row.id, wrapped, masterKey, row.wrapped_key]);
    }
    return rows.length;
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
   where wrapped_key is not null and master_key <> $1 order by id limit $2`;

/** One that another process has wrapped meanwhile stays. */
const REWRAP = 'update collection set wrapped_key = $2, master_key = $3 where id = $1 and wrapped_key = $4';
