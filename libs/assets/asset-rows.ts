import type { Transaction } from '#libs/database/database.js';
import type { OutputAsset, StoredFile } from '#libs/engine/generation-store.js';
import { ASSET_COLUMNS, type AssetRow } from './asset-row.js';
import { recordedAsset, type AssetView } from './asset-view.js';

/** What one step's attempt made, in the order of its outputs. */
export interface StepFiles {
  userId: string;
  collectionId: string | null;
  jobId: string;
  generationId: string;
  stepId: string;
  files: StoredFile[];
}

/**
 * Records what a step made, not shown yet, and links it to the step's component, within the step's
 * checkpoint. Recording a place again leaves one row, which points at the newer bytes.
 */
export async function insertAssets(tx: Transaction, made: StepFiles): Promise<OutputAsset[]> {
  if (made.files.length === 0) return [];
  const rows = await tx.query<{ id: string; index: number }>(INSERT, [
    made.userId, made.collectionId, made.jobId, made.generationId, made.stepId, JSON.stringify(made.files),
  ]);
  const ids = new Map(rows.map(({ index, id }) => [index, id]));
  return made.files.map((file, index) => ({
    id: ids.get(index) as string,
    url: `/files/${file.storage_key}`,
    ...file,
  }));
}

/**
 * Gives a generation's assets their URL, their place in lists and the record of how they were made, in the
 * transaction that captures its price. `steps` limits it to the outputs of these (the last ones, unless
 * intermediate outputs are kept); what the others made is given up. Returns the shown ones as events
 * record them, by step and index.
 */
export async function showAssets(
  tx: Transaction,
  { generationId, steps }: { generationId: string; steps: string[] | 'all' },
): Promise<AssetView[]> {
  await tx.query(SHOW, [generationId, steps === 'all' ? null : steps]);
  await tx.query(
    'update flat_file set deleted_at = now() where generation_id = $1 and deleted_at is null and not shown',
    [generationId],
  );
  const rows = await tx.query<AssetRow>(
    `select ${ASSET_COLUMNS} from flat_file f
     where f.generation_id = $1 and f.shown and f.deleted_at is null order by f.step_id, f.index`,
    [generationId],
  );
  return rows.map(recordedAsset);
}

const INSERT = `
  with recorded as (
    insert into flat_file (user_id, collection_id, job_id, generation_id, step_id, index, name, storage_key,
                           mime_type, size, sha256, width, height, duration)
    select $1, $2, $3, $4, $5, file.place - 1, file.name, file.storage_key,
           file.mime_type, file.size, file.sha256, file.width, file.height, file.duration
      from rows from (jsonb_to_recordset($6::jsonb) as (name text, storage_key text, mime_type text,
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
  select id, index from recorded`;

/**
 * `gen_in_data` is an instruction set that makes this edition again; `fetched` in it says which bytes other
 * hosts gave to its steps, by URL and SHA-256.
 */
const SHOW = `
  update flat_file f
     set shown = true, url = '/files/' || f.storage_key,
         gen_in_data = j.instruction_set || jsonb_build_object('generations', jsonb_build_object(
           'hashes', jsonb_build_array(g.hash), 'generations', 1, 'use_custom_hashes', true))
           || coalesce((select jsonb_build_object('fetched', jsonb_agg(file))
                          from step_run s, jsonb_array_elements(s.output -> 'fetched') file
                         where s.generation_id = g.id and s.output ? 'fetched'
                        having count(*) > 0), '{}'),
         gen_out_data = jsonb_build_object('hash', g.hash, 'variables', g.values, 'traits', g.traits)
    from generation g join job j on j.id = g.job_id
   where g.id = $1 and f.generation_id = g.id and f.deleted_at is null
     and ($2::bigint[] is null or f.step_id = any($2))`;
