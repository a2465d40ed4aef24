import { v7 as uuidv7 } from 'uuid';
import type { Queryable } from '#libs/database/database.js';
import { prepared } from '#libs/database/prepared.js';
import { projectNotFound } from '#libs/errors/errors.js';
import type { NewKey } from '#libs/encryption/collection-keys.js';
import { storedSet } from '#libs/encryption/sealed-set.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import type { WorkflowVersion } from '#libs/workflows/stored-workflow.js';
import { storedBorrowed, type Borrowed } from './borrowed-set.js';
import type { CollectionMetadata } from './collection-metadata.js';
import type { CollectionRow } from './collection.js';

/** The version of a workflow that an instruction set was made from, and that prices its generations. */
export interface Origin {
  workflow_id: string;
  workflow_version: number;
  /** An admin's price may lie below what the steps cost. */
  saved_by_admin: boolean;
}

export const originOf = ({ id, version, saved_by_admin }: Pick<WorkflowVersion, 'id' | 'version' | 'saved_by_admin'>): Origin => ({
  workflow_id: id, workflow_version: version, saved_by_admin,
});

export interface NewCollection {
  id: string;
  userId: string;
  projectId: string;
  /** Its step ids are `componentIds`, in order. */
  data: InstructionSet;
  componentIds: number[];
  /** Components of the asset it is made from, in the order of `componentIds`: the new ones keep their files. */
  inherits: Array<string | null>;
  metadata: CollectionMetadata;
  /** Publishes itself once the job that made it has completed. */
  autoPublish: boolean;
  origin: Origin | null;
  /** Set: it is another's collection's set. */
  borrowed?: Borrowed | null;
  /** Set: it is encrypted. */
  key?: NewKey | null;
}

/**
 * What a new collection needs to know before it is written. Without a project it goes to the user's default
 * one, which is made when it is first needed. Throws `PROJECT_NOT_FOUND`.
 */
export async function reserveCollection(
  db: Queryable,
  { userId, projectId, steps }: { userId: string; projectId: string | null; steps: number },
): Promise<Pick<NewCollection, 'projectId' | 'componentIds'>> {
  const [row] = await db.query<{ project_id: string | null; component_ids: string[] }>(RESERVE, [
    userId, projectId, steps,
  ]);
  const componentIds = (row?.component_ids ?? []).map(Number);
  if (row?.project_id) return { projectId: row.project_id, componentIds };
  if (projectId !== null) throw projectNotFound();
  return { projectId: await defaultProject(db, userId), componentIds };
}

async function defaultProject(db: Queryable, userId: string): Promise<string> {
  const [project] = await db.query<{ id: string }>(DEFAULT_PROJECT, [uuidv7(), userId]);
  return (project as { id: string }).id;
}

/** Writes a draft with all that belongs to it (components, preview, history) in one statement. */
export async function createCollection(db: Queryable, collection: NewCollection): Promise<CollectionRow> {
  const { data, key } = collection;
  const set = storedSet(key?.seal, data);
  const [row] = await db.query<CollectionRow>(CREATE, [collectionRow(collection), JSON.stringify(set)]);
  return { ...(row as CollectionRow), data };
}

/** What `collectionCtes` takes as JSON: all but the instruction set. */
export function collectionRow({ data: _data, metadata, key, borrowed, ...collection }: NewCollection): string {
  return JSON.stringify({
    ...storedMetadata(metadata),
    id: collection.id,
    user_id: collection.userId,
    project_id: collection.projectId,
    auto_publish: collection.autoPublish,
    component_ids: collection.componentIds,
    inherits: collection.inherits,
    history: { origin: collection.origin, ...(borrowed && { borrowed: storedBorrowed(key?.seal, borrowed) }) },
    encryption_enabled: Boolean(key),
    wrapped_key: key?.wrapped.toString('base64'),
    master_key: key?.masterKey,
  });
}

/** As rows keep it: a date alone is its midnight in UTC, whatever the database's time zone. */
export const storedMetadata = ({ publish_date, ...rest }: CollectionMetadata): CollectionMetadata => ({
  ...rest,
  ...(publish_date !== undefined && { publish_date: publish_date && new Date(publish_date).toISOString() }),
});

/** Files that a step keeps of the one it goes on from: the newest. */
export const MAX_INHERITED = 1_000;

/**
 * CTEs that write a collection, for a statement of which it is a part. `row` is the parameter made by
 * `collectionRow`, `data` that of its set; `on` a CTE without whose row nothing is written.
 */
export const collectionCtes = (row: string, data: string, on?: string): string => `
  new_collection as (
    select c.* from jsonb_to_record(${row}::jsonb) as c (
      id uuid, user_id uuid, project_id uuid, title text, description text, editions integer, price numeric,
      currency text, blockchain text, publish_date timestamptz, cover_image_url text, batch_mint_enabled boolean,
      batch_max_tokens integer, archived boolean, remixable boolean, auto_publish boolean, component_ids bigint[],
      inherits bigint[], history jsonb, encryption_enabled boolean, wrapped_key text, master_key text)${on ? ` cross join ${on}` : ''}
  ), collection_row as (
    insert into collection (
      id, user_id, project_id, data, title, description, editions, price, currency, blockchain, publish_date,
      cover_image_url, batch_mint_enabled, batch_max_tokens, archived, remixable, auto_publish,
      encryption_enabled, wrapped_key, master_key)
    select id, user_id, project_id, ${data}::jsonb, title, description, editions, price, currency, blockchain,
           publish_date, cover_image_url, coalesce(batch_mint_enabled, false), batch_max_tokens,
           coalesce(archived, false), coalesce(remixable, false), auto_publish,
           encryption_enabled, decode(wrapped_key, 'base64'), master_key
      from new_collection
    returning *
  ), component_row as (
    insert into component (id, collection_id)
    select unnest(component_ids), id from new_collection
  ), file_link as (
    insert into component_flat_file (component_id, flat_file_id)
    select c.id, link.flat_file_id
      from new_collection, unnest(component_ids, inherits) as c (id, inherits_from)
     cross join lateral (
       select flat_file_id from component_flat_file
        where component_id = c.inherits_from order by flat_file_id desc limit ${MAX_INHERITED}) link
  ), preview as (
    insert into collection_preview (collection_id) select id from new_collection
  ), history as (
    insert into collection_history (collection_id, user_id, action, data)
    select id, user_id, 'created', history from new_collection
  )`;

const CREATE = prepared('create_collection', `with ${collectionCtes('$1', '$2')} select * from collection_row`);

const RESERVE = prepared('reserve_collection', `
  select (select id from project
           where user_id = $1 and case when $2::uuid is null then is_default else id = $2::uuid end
         ) as project_id,
         array(select nextval('component_id_seq') from generate_series(1, $3::integer)) as component_ids`);

/** Of two first calls at once, the second waits for the first one's project and takes it. */
const DEFAULT_PROJECT = `
  insert into project (id, user_id, name, is_default) values ($1, $2, 'Default project', true)
  on conflict (user_id) where is_default do update set name = project.name
  returning id`;
