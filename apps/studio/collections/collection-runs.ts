import { signal, type Signal } from '@preact/signals';
import { listJobs, readTokens } from '../api/platen.js';
import type { Generation, Token } from '../api/shapes.js';
import { refreshBalance } from '../credits/balance.js';
import { hasEnded } from '../jobs/job-state.js';
import { liveJob, type LiveJob } from '../jobs/live-job.js';

const MOST_JOBS = 20;

/** The jobs of a collection as they go on, and the tokens that its finished editions are. */
export interface CollectionRuns {
  /** Oldest first. */
  jobs: Signal<LiveJob[]>;
  /** By the id of the generation. */
  tokens: Signal<Map<string, Token>>;
  error: Signal<unknown>;
  /** Looks for jobs that were added, and follows them. */
  refresh: () => Promise<void>;
  stop: () => void;
}

export function collectionRuns(collectionId: string): CollectionRuns {
  const jobs = signal<LiveJob[]>([]);
  const tokens = signal(new Map<string, Token>());
  const error = signal<unknown>(null);
  const known = new Map<string, LiveJob>();
  const unsubscribe: Array<() => void> = [];
  let isStopped = false;

  const readRarity = async () => {
    const { items } = await readTokens(collectionId);
    tokens.value = new Map(items.map((token) => [token.generation_id, token]));
  };
  const follow = (id: string) => {
    const live = liveJob(id);
    known.set(id, live);
    let finished = -1;
    unsubscribe.push(live.job.subscribe((job) => {
      const { completed } = job?.counts ?? { completed: 0 };
      if (!job || completed === finished) return;
      finished = completed;
      // What a rarity is depends on all that are finished.
      if (completed > 0) void readRarity().catch(() => undefined);
      if (hasEnded(job.status)) void refreshBalance();
    }));
    live.follow();
    return live;
  };
  const refresh = async () => {
    try {
      const { items } = await listJobs({ collection_id: collectionId, limit: MOST_JOBS });
      if (!isStopped) jobs.value = items.toReversed().map(({ id }) => known.get(id) ?? follow(id));
    } catch (failure) {
      error.value = failure;
    }
  };
  const stop = () => {
    isStopped = true;
    unsubscribe.forEach((end) => end());
    known.forEach((live) => live.stop());
  };
  return { jobs, tokens, error, refresh, stop };
}

export interface NumberedEdition {
  generation: Generation;
  jobId: string;
  /** From 1, over all jobs. */
  number: number;
}

export const editionsOf = (jobs: LiveJob[]): NumberedEdition[] =>
  jobs
    .flatMap(({ job }) => (job.value?.generations ?? []).map((generation) => ({ generation, jobId: job.value?.id ?? '' })))
    .map((edition, index) => ({ ...edition, number: index + 1 }));
