import { findAsset, maySeeOrigin, type AssetDetail, type Viewer } from '#libs/assets/asset-queries.js';
import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { Making } from '#libs/generations/making.js';
import type { InstructionSet, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import type { JobOptions } from '#libs/submission/job-submission.js';

/** A finished attempt of a step, as JSON. */
export interface FinishedAttempt {
  step_id: number;
  attempt: number;
  input_digest: string | null;
  started_at: string;
  completed_at: string;
}

/** What an asset's own row does not tell. */
export interface AssetContext {
  created_at: Date;
  collection_title: string | null;
  job: {
    id: string; name: string; job_type: string; created_at: string; completed_at: string | null; options: JobOptions;
  } | null;
  workflow: { id: string; version: number; name: string | null } | null;
  generation: {
    id: string; index: number; hash: string; price: string; started_at: string | null; completed_at: string | null;
  } | null;
  /** Null: the record of the steps is gone. */
  attempts: FinishedAttempt[] | null;
  /** The asset that it was made again from. */
  rerender_of: string | null;
}

/** An asset with all that is known of how it was made. */
export interface MadeAsset extends AssetContext {
  asset: AssetDetail;
  /** The set that makes it, with the versions of workflows that it is bound to; null: nobody made it here. */
  set: InstructionSet | null;
  outcome: { hash?: string; variables?: JsonObject; traits?: Trait[]; made?: Making } | null;
}

/** Null: there is none that the viewer may see. */
export async function findMadeAsset(
  db: Queryable,
  keys: CollectionKeys,
  viewer: Viewer,
  id: string,
): Promise<MadeAsset | null> {
  const asset = await findAsset(db, viewer, id, keys);
  if (!asset) return null;
  const [context] = await db.query<AssetContext>(CONTEXT, [id]);
  if (!context) return null;
  const { fetched: _fetched, ...set } = asset.gen_in_data ?? {};
  return {
    ...context,
    asset,
    set: Array.isArray(set['steps']) ? (set as unknown as InstructionSet) : null,
    outcome: await outcomeFor(asset, viewer, keys),
  };
}

/** What came of it; of an encrypted collection others learn the traits alone, as its public view tells them. */
async function outcomeFor(asset: AssetDetail, viewer: Viewer, keys: CollectionKeys): Promise<MadeAsset['outcome']> {
  const outcome = asset.gen_out_data as MadeAsset['outcome'];
  if (!asset.encrypted || !outcome || maySeeOrigin(asset, viewer)) return outcome;
  const opener = await keys.opener(asset.collection_id);
  return { traits: opener.openTraits(outcome.traits ?? []) };
}

const CONTEXT = `
  select f.created_at, c.title as collection_title,
         case when j.id is not null then jsonb_build_object(
           'id', j.id, 'name', j.name, 'job_type', j.job_type, 'created_at', j.created_at, 'completed_at', j.completed_at,
           'options', j.options) end as job,
         case when j.workflow_id is not null then jsonb_build_object(
           'id', j.workflow_id, 'version', j.workflow_version, 'name', v.name) end as workflow,
         case when g.id is not null then jsonb_build_object(
           'id', g.id, 'index', g.index, 'hash', g.hash, 'price', g.price::text, 'started_at', g.started_at,
           'completed_at', g.completed_at) end as generation,
         (select jsonb_agg(jsonb_build_object(
                   'step_id', s.step_id, 'attempt', s.attempt, 'input_digest', s.input_digest,
                   'started_at', s.started_at, 'completed_at', s.completed_at))
            from step_run s where s.generation_id = g.id and s.status = 'completed') as attempts,
         (select r.asset_id::text from rerender r where r.job_id = j.id) as rerender_of
    from flat_file f
    left join job j on j.id = f.job_id
    left join generation g on g.id = f.generation_id
    left join collection c on c.id = f.collection_id
    left join workflow_version v on v.workflow_id = j.workflow_id and v.version = j.workflow_version
   where f.id = $1`;
