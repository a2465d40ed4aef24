import type { GenerationAnswer, JobAnswer, JobStreamEvent, Platen } from '#libs/client/index.js';
import { CommandFailure } from '../command-failure.js';
import { take } from '../listing.js';
import { Stopped } from '../stop-signal.js';
import { showEditions, type EditionBars } from './edition-bars.js';

const STATES: Record<GenerationAnswer['status'], string> = {
  pending: 'waiting', processing: 'drawing', waiting: 'tries again soon', completed: 'done', failed: 'failed',
  cancelled: 'cancelled',
};

/** What an edition is doing after an event; events of less are passed over. */
const CHANGES: Record<string, { state: string; percent?: number }> = {
  generation_started: { state: 'drawing', percent: 0 },
  generation_waiting: { state: 'tries again soon' },
  generation_resumed: { state: 'drawing' },
  node_progress: { state: 'drawing' },
  image_generated: { state: 'storing', percent: 95 },
  generation_completed: { state: 'done', percent: 100 },
  generation_failed: { state: 'failed' },
  generation_cancelled: { state: 'cancelled' },
};

/** Follows a job with a bar per edition, and returns it as it ended, with all of its editions. */
export async function followJob(client: Platen, id: string, output: NodeJS.WriteStream = process.stderr): Promise<JobAnswer> {
  const { generations } = await readJob(client, id);
  const bars = showEditions(generations, output);
  showStates(generations, bars);
  try {
    for await (const event of client.watch(id)) show(event, bars);
  } catch (error) {
    if (error instanceof Stopped) throw new Stopped(`The job goes on. To watch it again: platen jobs watch ${id}`);
    throw error;
  } finally {
    bars.stop();
  }
  return readJob(client, id);
}

/** A job carries its first hundred editions; the others are a list of their own. */
export async function readJob(client: Platen, id: string): Promise<JobAnswer> {
  const job = await client.get('/jobs/{id}', { path: { id } });
  if (job.generations.length === job.counts.total) return job;
  return { ...job, generations: await take(client.list('/jobs/{id}/generations', { path: { id }, query: { limit: 100 } })) };
}

/** Fails unless every edition is finished: it says how many are not, and why. */
export function assertWhole({ status, counts, error, generations }: JobAnswer): void {
  if (status === 'completed' && counts.completed === counts.total) return;
  const reason = generations.find((generation) => generation.error)?.error?.message ?? error?.message;
  const missing = counts.total - counts.completed;
  const sentence = `${missing} of ${counts.total} editions ${missing === 1 ? 'is' : 'are'} missing, the job is ${status}`;
  throw new CommandFailure(reason ? `${sentence}: ${reason}` : `${sentence}.`);
}

function showStates(generations: GenerationAnswer[], bars: EditionBars): void {
  for (const { index, progress, status } of generations) bars.update(index, progress, STATES[status]);
}

function show(event: JobStreamEvent, bars: EditionBars): void {
  if (event.type === 'snapshot') {
    return showStates((event.data as JobAnswer).generations, bars);
  }
  const { generation_index: index, progress = 0 } = event.data as { generation_index?: number; progress?: number };
  const change = CHANGES[event.type];
  if (change && index !== undefined) bars.update(index, change.percent ?? progress, change.state);
}
