import { v7 as uuidv7 } from 'uuid';
import type { Queryable, Transaction } from '#libs/database/database.js';
import { projectNotFound } from '#libs/errors/errors.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import type { CollectionMetadata } from './collection-metadata.js';
import type { CollectionRow } from './collection.js';

/** The version of a workflow that an instruction set was made from, and that prices its generations. */
export interface Origin {
  workflow_id: string;
  workflow_version: number;
  /** An admin's price may lie below what the steps cost. */
  saved_by_admin: boolean;
}

export interface NewCollection {
  id: string;
  userId: string;
  /** Null: the user's default project, which is made when it is first needed. */
  projectId: string | null;
  /** Its step ids are `componentIds`, in order. */
  data: InstructionSet;
  componentIds: number[];
  /** Components of the asset it is made from, in the order of `componentIds`: the new ones keep their files. */
  inherits: Array<string | null>;
  metadata: CollectionMetadata;
  /** Publishes itself once the job that made it has completed. */
  autoPublish: boolean;
  origin: Origin | null;
}

/** What a new collection needs to know before it is written, in one read. Throws `PROJECT_NOT_FOUND`. */
export async function reserveCollection(
  db: Queryable,
  { userId, projectId, steps }: { userId: string; projectId: string | null; steps: number },
): Promise<Pick<NewCollection, 'projectId' | 'componentIds'>> {
  const [row] = await db.query<{ project_id: string | null; component_ids: string[] }>(
    `select (select id from project
              where user_id = $1 and case when $2::uuid is null then is_default else id = $2::uuid end
            ) as project_id,
            array(select nextval('component_id_seq') from generate_series(1, $3)) as component_ids`,
    [userId, projectId, steps],
  );
  if (projectId !== null && !row?.project_id) throw projectNotFound();
  return { projectId: row?.project_id ?? null, componentIds: (row?.component_ids ?? []).map(Number) };
}

/** Writes a draft with all that belongs to it (project, components, preview, history) in one statement. */
export async function createCollection(tx: Transaction, collection: NewCollection): Promise<CollectionRow> {
  const [row] = await tx.query<CollectionRow>(CREATE, [
    collection.id,
    collection.userId,
    collection.projectId,
    uuidv7(),
    JSON.stringify(collection.data),
    JSON.stringify(withInstant(collection.metadata)),
    collection.autoPublish,
    collection.componentIds,
    collection.inherits,
    JSON.stringify({ origin: collection.origin }),
  ]);
  return row as CollectionRow;
}

/** A date alone is its midnight in UTC, whatever the database's time zone. */
const withInstant = ({ publish_date, ...metadata }: CollectionMetadata): CollectionMetadata => ({
  ...metadata,
  publish_date: publish_date ? new Date(publish_date).toISOString() : null,
});

/**
 * Of two first submissions at once, the second waits for the first one's default project and takes it:
 * `do nothing` would return no row there.
 */
const CREATE = `
  with default_project as (
    insert into project (id, user_id, name, is_default)
    select $4::uuid, $2::uuid, 'Default project', true where $3::uuid is null
    on conflict (user_id) where is_default do update set name = project.name
    returning id
  ), home as (
    select $3::uuid as id where $3::uuid is not null union all select id from default_project
  ), created as (
    insert into collection (
      id, user_id, project_id, data, title, description, editions, price, currency, blockchain, publish_date,
      cover_image_url, batch_mint_enabled, batch_max_tokens, archived, remixable, auto_publish)
    select $1::uuid, $2::uuid, home.id, $5::jsonb, m.title, m.description, m.editions, m.price, m.currency,
           m.blockchain, m.publish_date, m.cover_image_url, coalesce(m.batch_mint_enabled, false),
           m.batch_max_tokens, coalesce(m.archived, false), coalesce(m.remixable, false), $7::boolean
      from home cross join jsonb_to_record($6::jsonb) as m (
        title text, description text, editions integer, price numeric, currency text, blockchain text,
        publish_date timestamptz, cover_image_url text, batch_mint_enabled boolean, batch_max_tokens integer,
        archived boolean, remixable boolean)
    returning *
  ), component_row as (
    insert into component (id, collection_id) select id, $1 from unnest($8::bigint[]) as c (id)
  ), file_link as (
    insert into component_flat_file (component_id, flat_file_id)
    select c.id, link.flat_file_id
      from unnest($8::bigint[], $9::bigint[]) as c (id, inherits_from)
      join component_flat_file link on link.component_id = c.inherits_from
  ), preview as (
    insert into collection_preview (collection_id, cover_image_url) select id, cover_image_url from created
  ), history as (
    insert into collection_history (collection_id, user_id, action, data)
    values ($1, $2, 'created', $10::jsonb)
  )
  select * from created`;
