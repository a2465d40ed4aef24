import { signal, type Signal } from '@preact/signals';
import { client } from '../api/client.js';
import { listJobs, readTokens } from '../api/platen.js';
import type { Generation, Job, JobEvent, Token } from '../api/shapes.js';
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
  /** Whether events come at present; null while none are awaited. */
  connected: Signal<boolean | null>;
  error: Signal<unknown>;
  /** Looks for jobs that were added, and follows them. */
  refresh: () => Promise<void>;
  stop: () => void;
}

/** All jobs share one stream, which is open while one of them is: a browser has six connections for all of its tabs. */
export function collectionRuns(collectionId: string): CollectionRuns {
  const jobs = signal<LiveJob[]>([]);
  const tokens = signal(new Map<string, Token>());
  const connected = signal<boolean | null>(null);
  const error = signal<unknown>(null);
  const known = new Map<string, LiveJob>();
  let following = new AbortController();
  following.abort();
  let isStopped = false;

  const add = (id: string) => {
    const live = liveJob(id);
    known.set(id, live);
    onProgress(live, () => {
      // What a rarity is depends on all that are finished.
      readTokens(collectionId).then(({ items }) => {
        tokens.value = new Map(items.map((token) => [token.generation_id, token]));
      }, () => undefined);
    });
    return live;
  };
  const take = (event: JobEvent) => {
    known.get(event.job_id)?.take(event);
    if (event.type === 'job_queued') void refresh();
  };
  const follow = async () => {
    const { signal: ended } = (following = new AbortController());
    const onConnected = (is: boolean) => (connected.value = is);
    const events = client.value.events(`/collections/${collectionId}/events`, { signal: ended, onConnected, patienceMs: Infinity });
    try {
      for await (const { type, data } of events) {
        if (type === 'snapshot') await Promise.all(jobs.value.filter(isOpen).map(({ load }) => load()));
        else take(data as JobEvent);
        if (!jobs.value.some(isOpen)) following.abort();
      }
    } catch (failure) {
      if (!ended.aborted) error.value = failure;
      following.abort();
    }
  };
  const refresh = async () => {
    try {
      const { items } = await listJobs({ collection_id: collectionId, limit: MOST_JOBS });
      if (isStopped) return;
      const added = items.filter(({ id }) => !known.has(id));
      jobs.value = items.toReversed().map(({ id }) => known.get(id) ?? add(id));
      // A stream begins with all that are open.
      const begins = following.signal.aborted && items.some(({ status }) => !hasEnded(status));
      if (begins) void follow();
      const untold = added.filter(({ status }) => !begins || hasEnded(status));
      await Promise.all(untold.map(({ id }) => known.get(id)?.load()));
    } catch (failure) {
      error.value = failure;
    }
  };
  const stop = () => {
    isStopped = true;
    following.abort();
    known.forEach((live) => live.stop());
  };
  return { jobs, tokens, connected, error, refresh, stop };
}

const isOpen = ({ job }: LiveJob): boolean => job.value === null || !hasEnded(job.value.status);

/** Calls whenever more editions of a job are finished than before. */
function onProgress({ job }: LiveJob, call: () => void): void {
  let [finished, wasOpen] = [0, true];
  job.subscribe((now) => {
    if (!now) return;
    if (now.counts.completed !== finished) call();
    if (wasOpen && hasEnded(now.status)) void refreshBalance();
    [finished, wasOpen] = [now.counts.completed, !hasEnded(now.status)];
  });
}

export interface NumberedEdition {
  generation: Generation;
  jobId: string;
  /** From 1, over all jobs. */
  number: number;
}

/** Of each job those that it carries: a hundred at most. */
export function editionsOf(jobs: Job[]): NumberedEdition[] {
  let before = 0;
  return jobs.flatMap(({ id, generations, counts }) => {
    const numbered = generations.map((generation) => ({ generation, jobId: id, number: before + generation.index + 1 }));
    before += counts.total;
    return numbered;
  });
}
