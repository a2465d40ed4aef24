import { LRUCache } from 'lru-cache';
import type { Queryable } from '#libs/database/database.js';

interface Counted<Value> {
  version: string;
  value: Promise<Value>;
}

/**
 * What was counted over all editions of a collection, kept until another is finished: everyone may ask for it, again
 * and again. Those who ask at once wait for one count.
 */
export class CountedEditions<Value> {
  private readonly kept: LRUCache<string, Counted<Value>>;

  /** `most`: collections of which it is kept. */
  constructor(most: number) {
    this.kept = new LRUCache({ max: most });
  }

  /** `count` runs where the editions have changed since it last did. */
  async of(db: Queryable, collectionId: string, count: () => Promise<Value>): Promise<Value> {
    const version = await versionOf(db, collectionId);
    const known = this.kept.get(collectionId);
    if (known?.version === version) return known.value;
    const counted = { version, value: count() };
    this.kept.set(collectionId, counted);
    // A failure of the moment is not kept.
    counted.value.catch(() => {
      if (this.kept.peek(collectionId) === counted) this.kept.delete(collectionId);
    });
    return counted.value;
  }
}

/** Every generation that is finished counts in its job, also the one that makes an edition again. */
async function versionOf(db: Queryable, collectionId: string): Promise<string> {
  const [row] = await db.query<{ version: string }>(
    `select count(*) || ':' || coalesce(sum(completed), 0) as version from job where collection_id = $1`,
    [collectionId],
  );
  return row?.version ?? '';
}
