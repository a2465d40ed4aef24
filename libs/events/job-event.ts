import type { FieldFault } from '#libs/errors/app-error.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';

/** Recorded events: each is a row of `job_history` with its job's next sequence number. */
export const RECORDED_EVENTS = [
  'job_queued',
  'job_started',
  'job_resumed',
  'generation_started',
  'generation_waiting',
  'generation_resumed',
  'node_started',
  'node_completed',
  'node_failed',
  'image_generated',
  'generation_completed',
  'generation_failed',
  'generation_cancelled',
  'job_completed',
  'job_failed',
  'job_cancelled',
] as const;
export type RecordedEventType = (typeof RECORDED_EVENTS)[number];

/** The last event of a job: after it the stream ends (until a resume). */
export const FINAL_EVENTS: ReadonlySet<string> = new Set(['job_completed', 'job_failed', 'job_cancelled']);

export interface EventError {
  code: string;
  message: string;
  /** The fields at fault, where they are known. */
  details?: FieldFault[];
}

/** What an event says beside its type; what does not apply is absent. Names as on the wire. */
export interface EventDetail {
  status?: string;
  output?: Json;
  generation_id?: string;
  generation_index?: number;
  hash?: string;
  step_id?: string;
  node?: string;
  alias?: string;
  /** 0 to 100, of what the event is about: the step, the generation or the job. */
  progress?: number;
  message?: string;
  attempt?: number;
  retry_at?: string;
  asset?: Json;
  error?: EventError;
}

/** `data:` of a recorded SSE event and a row of `GET /jobs/:id/history`. */
export interface JobEvent extends EventDetail {
  seq: number;
  type: RecordedEventType;
  job_id: string;
  at: string;
}

/** Not recorded, at most 5 a second per step, lost without harm. */
export interface NodeProgress extends EventDetail {
  type: 'node_progress';
  job_id: string;
  at: string;
}
