import type { AssetRow } from '#libs/assets/asset-row.js';
import { presentAsset, withUrls, type AssetView } from '#libs/assets/asset-view.js';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { collectionUrl } from '#libs/collections/collection.js';
import { toCredits } from '#libs/credits/micro-credits.js';
import type { EventError, JobEvent } from '#libs/events/job-event.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import type { GenerationRow, JobRow, StepRow } from './job-rows.js';

/** A job without its generations, as lists show it. */
export interface JobSummary {
  id: string;
  name: string;
  description: string | null;
  job_type: string;
  status: string;
  priority: number;
  /** Percent; never falls. */
  progress: number;
  collection_id: string | null;
  workflow_id: string | null;
  workflow_version: number | null;
  tags: string[];
  external_id: string | null;
  /** While the job waits: 1 is next in its lane. */
  queue_position: number | null;
  /** An operator holds back generations of it; what runs goes on. */
  paused: boolean;
  estimated_completion: string | null;
  /** Credits. `total` is the price of everything; a resume holds again what was released. */
  cost: { total: number; held: number; captured: number; released: number };
  counts: { total: number; completed: number; failed: number; cancelled: number };
  error: EventError | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  urls: { job_status_url: string; job_events_url: string; collection_url: string | null };
}

export interface JobView extends JobSummary {
  /** The first 100, without outputs. */
  generations: GenerationView[];
}

export interface GenerationView {
  id: string;
  index: number;
  hash: string;
  status: string;
  progress: number;
  error: (EventError & { step_id: string | null }) | null;
  traits: Trait[];
  /** The newest attempt of each step that has begun. */
  steps: StepView[];
  /** Only of finished, paid generations. */
  assets: AssetView[];
  started_at: string | null;
  completed_at: string | null;
}

export interface StepView {
  step_id: string;
  alias: string | null;
  node: string;
  status: string;
  attempt: number;
  progress: number;
  started_at: string;
  completed_at: string | null;
  output?: Json;
  output_truncated?: true;
  logs: string[];
  error: EventError | null;
}

/** `seconds` is what one generation of its workflow takes. */
export function presentSummary(row: JobRow, seconds: number): JobSummary {
  const { id, name, description, job_type, status, priority, progress, collection_id } = row;
  const { workflow_id, workflow_version, tags, external_id, error } = row;
  const { completed, failed, cancelled } = row;
  const finishedFirst = (row.queue_position ?? 1) - 1 + row.generation_count;
  return {
    id, name, description, job_type, status, priority, progress, collection_id, workflow_id, workflow_version,
    tags, external_id,
    queue_position: row.queue_position,
    paused: row.paused,
    estimated_completion:
      row.queue_position === null ? null : iso(row.now.getTime() + finishedFirst * seconds * 1_000),
    cost: {
      total: toCredits(row.price),
      held: toCredits(BigInt(row.hold) - BigInt(row.captured) - BigInt(row.released)),
      captured: toCredits(row.captured),
      released: toCredits(row.released),
    },
    counts: { total: row.generation_count, completed, failed, cancelled },
    error,
    created_at: iso(row.created_at),
    started_at: isoOrNull(row.started_at),
    completed_at: isoOrNull(row.completed_at),
    urls: {
      job_status_url: `/jobs/${id}`,
      job_events_url: `/jobs/${id}/events`,
      collection_url: collection_id && collectionUrl(collection_id),
    },
  };
}

export function presentGeneration(row: GenerationRow, urls: FileUrls): GenerationView {
  const { id, index, hash, status, progress, error, traits, steps, assets } = row;
  return {
    id, index, hash, status, progress, error, traits,
    steps: steps.map(presentStep),
    assets: assets.map((asset: AssetRow) => presentAsset(asset, urls)),
    started_at: isoOrNull(row.started_at),
    completed_at: isoOrNull(row.completed_at),
  };
}

/** A recorded event names files by path; a client gets URLs that work now. */
export function presentEvent<Event extends Pick<JobEvent, 'asset'>>(event: Event, urls: FileUrls): Event {
  if (event.asset === undefined) return event;
  return { ...event, asset: withUrls(event.asset as unknown as AssetView, urls) };
}

function presentStep(row: StepRow): StepView {
  const { step_id, alias, node, status, attempt, logs, error, output, output_truncated } = row;
  return {
    step_id, alias, node, status, attempt,
    progress: Math.round(row.progress * 100),
    started_at: iso(row.started_at),
    completed_at: isoOrNull(row.completed_at),
    ...(output !== undefined && !output_truncated && { output }),
    ...(output_truncated && { output_truncated }),
    logs,
    error,
  };
}

const iso = (time: Date | string | number): string => new Date(time).toISOString();
const isoOrNull = (time: Date | string | null): string | null => time && iso(time);
