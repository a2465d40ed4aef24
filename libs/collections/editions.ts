import type { Queryable, Transaction } from '#libs/database/database.js';
import { collectionNotFound, editionsExhausted } from '#libs/errors/errors.js';

/** How often a trait's value occurs among the finished editions. */
export interface TraitCount {
  trait_type: string;
  value: string | number | boolean;
  count: number;
}

export interface EditionSummary {
  /** The most common first, 1,000 at most. */
  traits: TraitCount[];
  /** Finished editions. */
  generations: number;
}

/**
 * Makes sure, under the collection's lock, that `hashes` fit its editions. An edition is a hash that is
 * finished or under way; making one of these again takes no further edition.
 * Throws `COLLECTION_NOT_FOUND`, `EDITIONS_EXHAUSTED`.
 */
export async function reserveEditions(
  tx: Transaction,
  collection: { id: string; userId: string },
  hashes: string[],
): Promise<void> {
  const [locked] = await tx.query<{ editions: number | null }>(
    'select editions from collection where id = $1 and user_id = $2 for update',
    [collection.id, collection.userId],
  );
  if (!locked) throw collectionNotFound();
  if (locked.editions === null) return;
  const [{ taken, wanted } = { taken: 0, wanted: 0 }] = await tx.query<{ taken: number; wanted: number }>(
    `select (count(distinct hash) filter (where taken))::integer as taken, count(distinct hash)::integer as wanted
       from (select g.hash, true as taken from job j join generation g on g.job_id = j.id
              where j.collection_id = $1 and g.status in ('pending', 'processing', 'waiting', 'completed')
             union all select unnest($2::text[]), false) as edition`,
    [collection.id, hashes],
  );
  const { editions } = locked;
  if (wanted > editions) throw editionsExhausted({ editions, taken, more: wanted - taken });
}

/**
 * Condition on `flat_file f`: it belongs to what its edition shows now, or to none. The index by hash tells for each row
 * whether there is a newer one; as a sub-select of one value, so that it is never a join of all generations.
 */
export const OF_SHOWN_EDITION = `(f.generation_id is null or (
  select true
    from generation own
    join generation newer on newer.hash = own.hash and newer.status = 'completed'
     and (newer.completed_at, newer.id) > (own.completed_at, own.id)
    join job j on j.id = newer.job_id and j.collection_id = f.collection_id
   where own.id = f.generation_id
   limit 1) is null)`;

/** An edition shows the newest completed generation of its hash. */
export async function summarizeEditions(db: Queryable, collectionId: string): Promise<EditionSummary> {
  const [summary] = await db.query<EditionSummary>(
    `with edition as (
       select distinct on (g.hash) g.traits
         from job j join generation g on g.job_id = j.id
        where j.collection_id = $1 and g.status = 'completed'
        order by g.hash, g.completed_at desc, g.id desc
     ), trait as (
       select t ->> 'trait_type' as trait_type, t -> 'value' as value, count(*)::integer as count
         from edition cross join jsonb_array_elements(edition.traits) as t
        group by 1, 2 order by 3 desc, 1, 2 limit 1000
     )
     select (select count(*)::integer from edition) as generations,
            coalesce((select jsonb_agg(trait order by count desc, trait_type, value) from trait), '[]')
              as traits`,
    [collectionId],
  );
  return summary ?? { traits: [], generations: 0 };
}
