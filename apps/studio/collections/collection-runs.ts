import { signal, type Signal } from '@preact/signals';
import { client } from '../api/client.js';
import { listJobs, readTokens } from '../api/platen.js';
import type { Generation, Job, JobEvent, JobSummary, Token } from '../api/shapes.js';
import { refreshBalance } from '../credits/balance.js';
import { hasEnded } from '../jobs/job-state.js';
import { liveJob, type LiveJob } from '../jobs/live-job.js';

/** Each is read by itself. */
const MOST_SHOWN = 20;
const MOST_COUNTED = 100;

/** The jobs of a collection as they go on, and the tokens that its finished editions are. */
export interface CollectionRuns {
  /** The newest, oldest first. */
  jobs: Signal<LiveJob[]>;
  /** Editions of the jobs before them. */
  earlier: Signal<{ total: number; completed: number }>;
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
  const earlier = signal({ total: 0, completed: 0 });
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
    // What a rarity is depends on all that are finished.
    onProgress(live, () => void tokensOf(collectionId).then((read) => (tokens.value = read), () => undefined));
    return live;
  };
  const take = (event: JobEvent) => {
    known.get(event.job_id)?.take(event);
    if (event.type === 'job_queued') void refresh();
  };
  const follow = async () => {
    const until = new AbortController();
    following = until;
    const onConnected = (is: boolean) => (connected.value = is);
    const events = client.value.events(`/collections/${collectionId}/events`, { signal: until.signal, onConnected, patienceMs: Infinity });
    try {
      for await (const { type, data } of events) {
        if (type === 'snapshot') await Promise.all(jobs.value.filter(isOpen).map(({ load }) => load()));
        else take(data as JobEvent);
        if (!jobs.value.some(isOpen)) until.abort();
      }
    } catch (failure) {
      if (!until.signal.aborted) error.value = failure;
      until.abort();
    }
  };
  const refresh = async () => {
    try {
      const { items } = await listJobs({ collection_id: collectionId, limit: MOST_COUNTED });
      if (isStopped) return;
      const shown = items.slice(0, MOST_SHOWN);
      const added = shown.filter(({ id }) => !known.has(id));
      earlier.value = sumOf(items.slice(MOST_SHOWN));
      jobs.value = shown.toReversed().map(({ id }) => known.get(id) ?? add(id));
      // A stream begins with all that are open.
      const begins = following.signal.aborted && shown.some(({ status }) => !hasEnded(status));
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
  return { jobs, earlier, tokens, connected, error, refresh, stop };
}

const isOpen = ({ job }: LiveJob): boolean => job.value === null || !hasEnded(job.value.status);

async function tokensOf(collectionId: string): Promise<Map<string, Token>> {
  const { items } = await readTokens(collectionId);
  return new Map(items.map((token) => [token.generation_id, token]));
}

const sumOf = (jobs: JobSummary[]) => ({
  total: jobs.reduce((sum, { counts }) => sum + counts.total, 0),
  completed: jobs.reduce((sum, { counts }) => sum + counts.completed, 0),
});

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

/** Of each job those that it carries: a hundred at most. `earlier`: how many there are of jobs before these. */
export function editionsOf(jobs: Job[], earlier: number): NumberedEdition[] {
  let before = earlier;
  return jobs.flatMap(({ id, generations, counts }) => {
    const numbered = generations.map((generation) => ({ generation, jobId: id, number: before + generation.index + 1 }));
    before += counts.total;
    return numbered;
  });
}
