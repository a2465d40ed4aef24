import type { Queryable } from '#libs/database/database.js';
import { prepared } from '#libs/database/prepared.js';
import { LeaseLost, type Lease, type OutputAsset, type StoredFile } from '#libs/engine/generation-store.js';
import type { AssetView } from './asset-view.js';
import { isPictured } from './thumbnails.js';

/** What one step's attempt made, in the order of its outputs. */
export interface StepFiles {
  userId: string;
  collectionId: string | null;
  stepId: string;
  files: StoredFile[];
}

/**
 * Records what a step made, not shown yet, and links it to the step's component, before the checkpoint that
 * names it. Recording a place again leaves one row, which points at the newer bytes; who does not hold the
 * lease any more gets `LeaseLost`. The generation's row is held meanwhile, the job's is not: rows that name a
 * job do not wait for those that change it.
 */
export async function keepFiles(db: Queryable, lease: Lease, made: StepFiles): Promise<OutputAsset[]> {
  const rows = await db.query<{ id: string; index: number }>(KEEP, [
    lease.generationId, lease.number, made.userId, made.collectionId, lease.jobId, made.stepId,
    JSON.stringify(made.files),
  ]);
  if (rows.length < made.files.length) throw new LeaseLost();
  const ids = new Map(rows.map(({ index, id }) => [index, id]));
  return made.files.map((file, index) => ({
    id: ids.get(index) as string,
    url: `/files/${file.storage_key}`,
    ...file,
  }));
}

/** An asset of a step as events record it. */
export const outputView = (stepId: string, { storage_key: _key, ...asset }: OutputAsset): AssetView => ({
  ...asset,
  thumbnail_url: null,
  step_id: stepId,
});

const KEEP = prepared('keep_files', `
  with held as (
    select id from generation where id = $1 and lease = $2 and status = 'processing' for share
  ), recorded as (
    insert into flat_file (user_id, collection_id, job_id, generation_id, step_id, index, name, storage_key,
                           mime_type, size, sha256, width, height, duration)
    select $3, $4, $5, held.id, $6, file.place - 1, file.name, file.storage_key,
           file.mime_type, file.size, file.sha256, file.width, file.height, file.duration
      from held cross join rows from (jsonb_to_recordset($7::jsonb) as (name text, storage_key text, mime_type text,
             size bigint, sha256 text, width integer, height integer, duration real)) with ordinality
        as file (name, storage_key, mime_type, size, sha256, width, height, duration, place)
    on conflict (generation_id, step_id, index) where deleted_at is null do update
      set name = excluded.name, storage_key = excluded.storage_key, mime_type = excluded.mime_type,
          size = excluded.size, sha256 = excluded.sha256, width = excluded.width, height = excluded.height,
          duration = excluded.duration
    returning id, step_id, index
  ), linked as (
    insert into component_flat_file (component_id, flat_file_id)
    select component.id, recorded.id from recorded join component on component.id = recorded.step_id
    on conflict do nothing
  )
  select id, index from recorded`);

interface ShowSql {
  /** A CTE with the generation's new row. */
  generation: string;
  job: string;
  traits: string;
  /** Whose assets are shown; null: of all steps. */
  steps: string;
  /** What other hosts gave to the steps, as JSON, or null. */
  fetched: string;
  /** The record of what the steps were made of and with, as JSON (`Making`). */
  made: string;
}

/**
 * CTEs for the statement that captures a generation's price: its assets get their URL, their place in lists
 * and the record of how they were made; what the other steps made is given up. `gen_in_data` is an
 * instruction set that makes this edition again; `fetched` in it says which bytes other hosts gave to its
 * steps, by URL and SHA-256. `made` of `gen_out_data` says what each step was made of and with. Thumbnails are due from
 * then on, unless the job wants none.
 */
export const showCtes = ({ generation, job, traits, steps, fetched, made }: ShowSql): string => `
  shown as (
    update flat_file f
       set shown = true, url = '/files/' || f.storage_key,
           thumbnail_due = case when ${isPictured('f.mime_type')}
             and j.options -> 'generate_preview' is distinct from 'false' then now() end,
           gen_in_data = j.instruction_set || jsonb_build_object('generations', jsonb_build_object(
             'hashes', jsonb_build_array(g.hash), 'generations', 1, 'use_custom_hashes', true))
             || case when ${fetched}::jsonb is null then '{}' else jsonb_build_object('fetched', ${fetched}::jsonb) end,
           gen_out_data = jsonb_build_object(
             'hash', g.hash, 'variables', g.values, 'traits', ${traits}::jsonb, 'made', ${made}::jsonb)
      from ${generation} g cross join job j
     where j.id = ${job} and f.generation_id = g.id and f.deleted_at is null
       and (${steps}::bigint[] is null or f.step_id = any(${steps}::bigint[]))
  ), hidden as (
    update flat_file f set deleted_at = now()
      from ${generation} g
     where f.generation_id = g.id and f.deleted_at is null and f.step_id <> all(${steps}::bigint[])
  )`;
