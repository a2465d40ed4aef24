import { ASSET_COLUMNS, type AssetRow } from '#libs/assets/asset-row.js';
import type { EventError } from '#libs/events/job-event.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';

/** Outputs above this size are not sent. Sealed ones are larger by a third, and judged once they are open. */
export const OUTPUT_BYTES = 16 * 1024;
const SEALED_BYTES = Math.ceil(OUTPUT_BYTES * 4 / 3) + 256;
/** Where counting the queue ends: nobody needs to know more exactly how long that is. */
const QUEUE_COUNTED = 10_000;

export interface JobRow {
  id: string;
  name: string;
  description: string | null;
  job_type: string;
  status: string;
  priority: number;
  progress: number;
  collection_id: string | null;
  workflow_id: string | null;
  workflow_version: number | null;
  tags: string[];
  external_id: string | null;
  generation_count: number;
  completed: number;
  failed: number;
  cancelled: number;
  seq: string;
  encrypted: boolean;
  error: EventError | null;
  created_at: Date;
  /** With microseconds, for cursors. */
  created_at_text: string;
  started_at: Date | null;
  completed_at: Date | null;
  now: Date;
  /** Micro-credits: of all generations and the base, and the sums of the ledger. */
  price: string;
  hold: string;
  captured: string;
  released: string;
  queue_position: number | null;
  paused: boolean;
  /** The workflow's own idea of how long a generation takes. */
  duration_hint: number | null;
}

/** Read as JSON, therefore times are text. */
export interface GenerationRow {
  id: string;
  index: number;
  hash: string;
  status: string;
  progress: number;
  error: (EventError & { step_id: string | null }) | null;
  traits: Trait[];
  started_at: string | null;
  completed_at: string | null;
  steps: StepRow[];
  assets: AssetRow[];
}

export interface StepRow {
  step_id: string;
  alias: string | null;
  node: string;
  status: string;
  attempt: number;
  /** From 0 to 1. */
  progress: number;
  started_at: string;
  completed_at: string | null;
  logs: string[];
  error: EventError | null;
  output?: Json;
  output_truncated?: true;
}

/**
 * Jobs `j`: the row, its money, and its place in the queue while it waits. With `offset 0` Postgres takes the
 * job's own generations; else it may look through all that are pending, for each job of a page.
 */
export const JOB_SELECT = `
  select j.id, j.name, j.description, j.job_type, j.status, j.priority, j.progress, j.collection_id, j.workflow_id,
         j.workflow_version, j.tags, j.external_id, j.generations as generation_count, j.completed, j.failed,
         j.cancelled, j.seq, j.encrypted, j.error, j.created_at, j.created_at::text as created_at_text, j.started_at,
         j.completed_at, now() as now, money.*,
         j.base_price + own.price as price, own.paused,
         waiting.position::int as queue_position,
         (select (v.data ->> 'estimated_duration')::float8 from workflow_version v
           where j.status = 'pending' and v.workflow_id = j.workflow_id and v.version = j.workflow_version
         ) as duration_hint
    from job j
   cross join lateral (
     select coalesce(sum(g.price), 0) as price,
            coalesce(bool_or(g.paused_by is not null and g.status in ('pending', 'waiting')), false) as paused
       from generation g where g.job_id = j.id
   ) as own
   cross join lateral (
     select coalesce(sum(c.amount) filter (where c.type = 'hold'), 0) as hold,
            coalesce(sum(c.amount) filter (where c.type = 'capture'), 0) as captured,
            coalesce(sum(c.amount) filter (where c.type = 'release'), 0) as released
       from credit_entry c where c.job_id = j.id
   ) as money
    left join lateral (
     select 1 + (select count(*) from (
                   select from generation o
                    where o.lane = first.lane and o.status = 'pending' and o.wake_at is not null and o.paused_by is null
                      and o.priority > first.priority
                    limit ${QUEUE_COUNTED}) as preferred)
              + (select count(*) from (
                   select from generation o
                    where o.lane = first.lane and o.status = 'pending' and o.wake_at is not null and o.paused_by is null
                      and o.priority = first.priority
                      and (o.turn, o.id) < (first.turn, first.id)
                    limit ${QUEUE_COUNTED}) as earlier) as position
       from (select g.lane, g.priority, g.turn, g.id
               from (select * from generation where job_id = j.id and j.status = 'pending' offset 0) as g
              where g.status = 'pending' and g.wake_at is not null and g.paused_by is null
              order by g.turn, g.id limit 1) as first
   ) as waiting on true`;

const STEPS = (withOutput: boolean) => `
  select jsonb_agg(jsonb_build_object(
           'step_id', s.step_id::text, 'alias', s.alias, 'node', s.node, 'status', s.status,
           'attempt', s.attempt, 'progress', s.progress, 'started_at', s.started_at, 'completed_at', s.completed_at, 'logs', s.logs,
           'error', s.error) ${withOutput ? `|| ${OUTPUT}` : ''} order by s.step_id)
    from (select distinct on (r.step_id) r.* from step_run r
           where r.generation_id = g.id order by r.step_id, r.attempt desc) as s`;

const OUTPUT = `
  case when s.output is null then '{}'
       when octet_length((s.output -> 'value')::text)
            > case when s.output -> 'value' ? '$enc' then ${SEALED_BYTES} else ${OUTPUT_BYTES} end then '{"output_truncated": true}'
       else jsonb_build_object('output', s.output -> 'value') end`;

const ASSETS = `
  select jsonb_agg(
           to_jsonb(a) || jsonb_build_object('id', a.id::text, 'step_id', a.step_id::text) order by a.id)
    from (select ${ASSET_COLUMNS} from flat_file f
           where f.generation_id = g.id and f.shown and f.deleted_at is null) as a`;

/** Generations of job `jobId` (an expression) after an index, each as one JSON object, in order. */
export const generationObjects = (
  { jobId, after, limit, withOutput }: { jobId: string; after: string; limit: string; withOutput: boolean },
) => `
  select jsonb_build_object(
           'id', g.id, 'index', g.index, 'hash', g.hash, 'status', g.status, 'progress', g.progress,
           'error', g.error, 'traits', g.traits, 'started_at', g.started_at, 'completed_at', g.completed_at,
           'steps', coalesce((${STEPS(withOutput)}), '[]'),
           'assets', coalesce((${ASSETS}), '[]')) as generation
    from generation g where g.job_id = ${jobId} and g.index > ${after} order by g.index limit ${limit}`;
