import type { Asset, Generation, Job, JobEvent, Step } from '../api/shapes.js';

const JOB_STATUS: Record<string, Job['status']> = {
  job_queued: 'pending', job_started: 'processing', job_resumed: 'processing', job_completed: 'completed',
  job_failed: 'failed', job_cancelled: 'cancelled',
};
const GENERATION_STATUS: Record<string, Generation['status']> = {
  generation_started: 'processing', generation_waiting: 'waiting', generation_resumed: 'processing',
  generation_completed: 'completed', generation_failed: 'failed', generation_cancelled: 'cancelled',
};
const STEP_STATUS: Record<string, Step['status']> = {
  node_started: 'running', node_progress: 'running', node_completed: 'completed', node_failed: 'failed',
};

/** Of a job that is paused: what nobody can change but an operator. */
export const HELD_BACK = 'Held back by the operators of this Platen';
/** What is taken up was not, or is no longer, held back. */
const GOES_ON = new Set(['job_started', 'generation_started', 'generation_resumed']);

export const hasEnded = (status: string): boolean => ['completed', 'failed', 'cancelled'].includes(status);

/** The job after an event. Doing it twice changes nothing more, and an event of an unknown kind changes nothing. */
export function afterEvent(before: Job, event: JobEvent): Job {
  const job = before.paused && GOES_ON.has(event.type) ? { ...before, paused: false } : before;
  if (event.type in JOB_STATUS) return withJobStatus(job, event);
  const index = job.generations.findIndex(({ id, index: place }) =>
    id === event.generation_id || place === event.generation_index);
  const generation = job.generations[index];
  if (!generation) return job;
  const generations = job.generations.with(index, generationAfter(generation, event));
  return { ...job, generations, counts: countsOf(job, generations), progress: progressOf(job, generations) };
}

function withJobStatus(job: Job, { type, at, error, progress }: JobEvent): Job {
  const status = JOB_STATUS[type] as Job['status'];
  const isOver = hasEnded(status);
  return {
    ...job,
    status,
    progress: status === 'completed' ? 100 : Math.max(job.progress, progress ?? 0),
    started_at: status === 'processing' ? (job.started_at ?? at) : job.started_at,
    completed_at: isOver ? at : null,
    queue_position: null,
    error: isOver ? (error ?? null) : null,
  };
}

function generationAfter(generation: Generation, event: JobEvent): Generation {
  const status = GENERATION_STATUS[event.type];
  if (status !== undefined) {
    return {
      ...generation,
      status,
      progress: status === 'completed' ? 100 : generation.progress,
      started_at: generation.started_at ?? event.at,
      completed_at: hasEnded(status) ? event.at : null,
      error: event.error ? { ...event.error, step_id: event.step_id ?? null } : null,
    };
  }
  if (event.type === 'image_generated' && event.asset) {
    return { ...generation, assets: withAsset(generation.assets, event.asset) };
  }
  return event.type in STEP_STATUS ? { ...generation, steps: withStep(generation.steps, event) } : generation;
}

const withAsset = (assets: Asset[], asset: Asset): Asset[] =>
  assets.some(({ id }) => id === asset.id) ? assets : [...assets, asset];

function withStep(steps: Step[], event: JobEvent): Step[] {
  const before = steps.find(({ step_id }) => step_id === event.step_id);
  // Progress may come late: of an attempt that has ended it says nothing.
  if (event.type === 'node_progress' && before && before.status !== 'running') return steps;
  const step = stepAfter(before, event);
  return before ? steps.map((each) => (each === before ? step : each)) : [...steps, step];
}

/** What an event leaves out stays as it was. */
function stepAfter(before: Step | undefined, event: JobEvent): Step {
  const status = STEP_STATUS[event.type] as Step['status'];
  const isStart = event.type === 'node_started';
  const step = before ?? begunBy(event);
  return {
    ...step,
    status,
    attempt: event.attempt ?? step.attempt,
    progress: status === 'completed' ? 100 : (event.progress ?? step.progress),
    started_at: isStart ? event.at : step.started_at,
    completed_at: status === 'running' ? null : event.at,
    error: event.error ?? null,
  };
}

const begunBy = ({ step_id = '', alias = '', node = '', at }: JobEvent): Step => ({
  step_id, alias: alias || null, node, status: 'running', attempt: 1, progress: 0, started_at: at, completed_at: null, logs: [],
  error: null,
});

/** With what no event tells: traits and thumbnails of what has ended, and the counts of generations that are not here. */
export function withSettled(job: Job, fresh: Job): Job {
  const settled = new Map(fresh.generations.filter(({ status }) => hasEnded(status)).map((each) => [each.id, each]));
  const generations = job.generations.map((each) => settled.get(each.id) ?? each);
  const isWhole = generations.length >= job.counts.total;
  const sums = isWhole ? {} : { counts: fresh.counts, progress: Math.max(job.progress, fresh.progress) };
  return { ...job, ...sums, cost: fresh.cost, generations };
}

/** Of a job whose generations are not all here, what it says itself stands. */
function countsOf(job: Job, generations: Generation[]): Job['counts'] {
  if (generations.length < job.counts.total) return job.counts;
  const those = (wanted: string) => generations.filter(({ status }) => status === wanted).length;
  return { total: job.counts.total, completed: those('completed'), failed: those('failed'), cancelled: those('cancelled') };
}

/** Never falls, and is full only with the job's own last event. */
function progressOf(job: Job, generations: Generation[]): number {
  if (generations.length < job.counts.total) return job.progress;
  const done = generations.reduce((sum, { status, progress }) => sum + (hasEnded(status) ? 100 : progress), 0);
  return Math.max(job.progress, Math.min(99, Math.floor(done / Math.max(1, generations.length))));
}
