import type { PlatenClient } from '../client/platen-client.js';
import { CommandFailure } from '../command-failure.js';
import { showEditions } from './edition-bars.js';

export interface DemoAsset {
  url: string;
  mime_type: string;
}

export interface DemoGeneration {
  index: number;
  hash: string;
  status: string;
  progress: number;
  error: { message: string } | null;
  traits: Array<{ trait_type: string; value: unknown }>;
  assets: DemoAsset[];
}

export interface DemoJob {
  id: string;
  status: string;
  cost: { total: number; captured: number };
  generations: DemoGeneration[];
  error: { message: string } | null;
}

/** The part of an event that the bars show. */
interface Progress {
  generation_index?: number;
  progress?: number;
}

/** What an edition is doing after an event; events of less are passed over. */
const STATES: Record<string, { state: string; percent?: number }> = {
  generation_started: { state: 'drawing', percent: 0 },
  node_progress: { state: 'drawing' },
  image_generated: { state: 'storing', percent: 95 },
  generation_completed: { state: 'done', percent: 100 },
  generation_failed: { state: 'failed' },
  generation_cancelled: { state: 'cancelled' },
};

/** Follows a job with a bar per edition and returns it as it ended. Fails unless every edition succeeded. */
export async function followJob(client: PlatenClient, jobId: string): Promise<DemoJob> {
  const { generations } = await client.get<DemoJob>(`/jobs/${jobId}`);
  const bars = showEditions(generations);
  try {
    for await (const { type, data } of client.events<Progress>(`/jobs/${jobId}/events`)) {
      const change = STATES[type];
      if (!change || data.generation_index === undefined) continue;
      bars.update(data.generation_index, change.percent ?? data.progress ?? 0, change.state);
    }
  } finally {
    bars.stop();
  }
  const job = await client.get<DemoJob>(`/jobs/${jobId}`);
  if (job.status !== 'completed') throw new CommandFailure(`The job is ${job.status}: ${reasonOf(job)}`);
  return job;
}

function reasonOf({ error, generations }: DemoJob): string {
  const failed = generations.find((generation) => generation.error);
  return failed?.error?.message ?? error?.message ?? 'no reason is known';
}
