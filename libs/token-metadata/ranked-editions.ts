import type { Queryable } from '#libs/database/database.js';
import type { Trait } from '#libs/nodes/node.js';

/** A trait of an edition, and how many of the collection's editions have the same. */
export interface CountedTrait extends Trait {
  count: number;
}

/** A finished edition among all of its collection. */
export interface RankedEdition {
  /** The newest completed generation of its hash. */
  id: string;
  hash: string;
  /** From 1, by when it was first asked for: final once all jobs of the collection have ended. */
  number: number;
  /** 1 for the rarest; ties share the smallest. */
  rank: number;
  /** What its traits tell in bits, in proportion to the collection's mean; 0 where all are alike. */
  score: number;
  traits: CountedTrait[];
  /** How many editions there are. */
  total: number;
}

/** Where to go on, and how far. */
export interface EditionWindow {
  /** A number. */
  after: string | null;
  limit: number;
}

/** How rare each edition of a collection is. */
export interface Ranking {
  /** The newest completed generation of each hash, in the order of the editions' numbers. */
  ids: string[];
  ranks: number[];
  scores: number[];
  /** How many editions have a trait's value, by `valueKey`, where it is more than one. */
  counts: ReadonlyMap<string, number>;
}

/**
 * Finished editions in order with their rarity, as OpenRarity defines it: the information content of a trait's
 * value is -log2 of its share; to lack a trait is a value of it, and how many traits there are is a trait, too;
 * their sum is divided by the collection's entropy. All of it is counted in the database. An edition that has a trait
 * twice is counted with the last.
 */
export async function rankEditions(db: Queryable, collectionId: string): Promise<Ranking> {
  const [row] = await db.query<{ ranked: Array<[string, number, number]>; counts: Array<[string, Trait['value'], number]> }>(
    RANKED, [collectionId],
  );
  const { ranked = [], counts = [] } = row ?? {};
  return {
    ids: ranked.map(([id]) => id),
    ranks: ranked.map(([, rank]) => rank),
    scores: ranked.map(([, , score]) => score),
    counts: new Map(counts.map(([trait_type, value, count]) => [valueKey({ trait_type, value }), count])),
  };
}

/** The editions of a window, by number. */
export async function editionsIn(
  db: Queryable,
  { ids, ranks, scores, counts }: Ranking,
  { after, limit }: EditionWindow,
): Promise<RankedEdition[]> {
  const start = Math.min(Number(after ?? 0), ids.length);
  const shown = ids.slice(start, start + limit);
  const rows = await db.query<{ id: string; hash: string; traits: Trait[] }>(
    'select id, hash, traits from generation where id = any($1::uuid[])', [shown],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return shown.flatMap((id, place) => {
    const row = byId.get(id);
    if (!row) return [];
    const index = start + place;
    const traits = lastOfEach(row.traits).map((trait) => ({ ...trait, count: counts.get(valueKey(trait)) ?? 1 }));
    return { id, hash: row.hash, number: index + 1, rank: ranks[index] ?? 1, score: scores[index] ?? 0, traits, total: ids.length };
  });
}

const valueKey = ({ trait_type, value }: Trait): string => JSON.stringify([trait_type, value]);

/** Where an edition has a trait twice. */
function lastOfEach(traits: Trait[]): Trait[] {
  const last = new Map<string, Trait>();
  for (const { trait_type, value } of traits) {
    last.delete(trait_type);
    last.set(trait_type, { trait_type, value });
  }
  return [...last.values()];
}

/** The generations that the editions are, in the order of their numbers. */
export async function editionIds(db: Queryable, collectionId: string, limit: number | null = null): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `with ${NUMBERED} select id from numbered order by number limit $2`,
    [collectionId, limit],
  );
  return rows.map(({ id }) => id);
}

/**
 * Windows in place of joins: nothing is known of the sizes of what is counted here, and a wrong guess would compare
 * every edition with every other.
 */
const NUMBERED = `
  finished as (
    select g.id, g.hash, g.traits, row_number() over (order by j.created_at, j.id, g.index) as place,
           row_number() over (partition by g.hash order by g.completed_at desc, g.id desc) as age
      from job j join generation g on g.job_id = j.id
     where j.collection_id = $1 and g.status = 'completed'
  ), edition as (
    select *, min(place) over (partition by hash) as first from finished
  ), numbered as (
    select id, hash, traits, row_number() over (order by first)::integer as number from edition where age = 1
  )`;

/** Sums in other orders differ by a hair: nine digits make equal editions equal. */
const RANKED = `
  with ${NUMBERED}, total as (
    select greatest(count(*), 1)::float8 as n from numbered
  ), trait as (
    select distinct on (e.number, type) e.number, t.value ->> 'trait_type' as type, t.value -> 'value' as value, t.place
      from numbered e cross join jsonb_array_elements(e.traits) with ordinality as t (value, place)
     order by e.number, type, t.place desc
  ), told as (
    select number, type, value, place from trait
    union all
    select number, null, to_jsonb((select count(distinct t ->> 'trait_type') from jsonb_array_elements(traits) as t)), null
      from numbered
  ), counted as (
    select *, count(*) over (partition by type, value) as count, count(*) over (partition by type) as holders from told
  ), weighed as (
    select number, type, n, holders, ln(n / count) as bits,
           case when holders < n then ln(n / (n - holders)) else 0 end as lacking
      from counted cross join total
  ), sums as (
    select (select coalesce(sum(lacking), 0) from (select distinct type, lacking from weighed)) as lacked,
           (select sum(bits / n) from weighed)
           + (select sum((n - holders) / n * lacking) from (select distinct type, n, holders, lacking from weighed))
             as entropy
  ), scored as (
    select number, case when entropy > 0
             then round(((lacked + sum(bits - lacking)) / entropy)::numeric, 9)::float8 else 0 end as score
      from weighed cross join sums group by number, lacked, entropy
  ), ranked as (
    select number, score, rank() over (order by score desc)::integer as rank from scored
  ), shared as (
    select distinct type, value, count from counted where type is not null and count > 1
  )
  select coalesce((select jsonb_agg(jsonb_build_array(id, rank, score) order by number)
                     from numbered join ranked using (number)), '[]') as ranked,
         coalesce((select jsonb_agg(jsonb_build_array(type, value, count)) from shared), '[]') as counts`;
