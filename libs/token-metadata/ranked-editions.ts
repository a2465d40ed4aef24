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

/**
 * Finished editions in order with their rarity, as OpenRarity defines it: the information content of a trait's
 * value is -log2 of its share; to lack a trait is a value of it, and how many traits there are is a trait, too;
 * their sum is divided by the collection's entropy. All of it is counted in the database, which gives one window.
 * An edition that has a trait twice is counted with the last.
 */
export const rankedEditions = (
  db: Queryable,
  collectionId: string,
  { after, limit }: EditionWindow,
): Promise<RankedEdition[]> => db.query<RankedEdition>(RANKED, [collectionId, after, limit]);

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
  ), shown as (
    select id, hash, number from numbered where number > coalesce($2::bigint, 0) order by number limit $3
  ), shown_traits as (
    select number, jsonb_agg(jsonb_build_object('trait_type', type, 'value', value, 'count', count) order by place) as traits
      from counted
     where type is not null and number > coalesce($2::bigint, 0) and number <= coalesce($2::bigint, 0) + $3
     group by number
  )
  select shown.*, rank, score, n::integer as total, coalesce(traits, '[]') as traits
    from shown join ranked using (number) left join shown_traits using (number) cross join total
   order by number`;
