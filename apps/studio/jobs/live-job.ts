import { signal, type Signal } from '@preact/signals';
import { client } from '../api/client.js';
import { readJob } from '../api/platen.js';
import type { Job, JobEvent } from '../api/shapes.js';
import { afterEvent, hasEnded } from './job-state.js';

/** Events after which the job is read again: they settle what they do not tell, traits and thumbnails. */
const SETTLING = /^(generation|job)_(completed|failed|cancelled)$/;
const READ_AFTER_MS = 250;

/** One job as it goes on. */
export interface LiveJob {
  job: Signal<Job | null>;
  /** Recorded events since it is followed, each once, in order. */
  events: Signal<JobEvent[]>;
  /** Whether events come at present; null until the first connection. */
  connected: Signal<boolean | null>;
  error: Signal<unknown>;
  /** Follows it (again, after a resume) until it ends. */
  follow: () => void;
  stop: () => void;
}

export function liveJob(id: string, first: Job | null = null): LiveJob {
  const job = signal(first);
  const events = signal<JobEvent[]>([]);
  const connected = signal<boolean | null>(null);
  const error = signal<unknown>(null);
  let following = new AbortController();
  let reading: ReturnType<typeof setTimeout> | undefined;

  const read = async () => {
    const fresh = await readJob(id).catch(() => null);
    // It may be older than the events that came meanwhile, except when it says that all is over.
    if (fresh && (hasEnded(fresh.status) || job.value === null)) job.value = fresh;
    else if (fresh && job.value) job.value = withSettled(job.value, fresh);
  };
  const take = (event: JobEvent) => {
    if (event.seq !== undefined) events.value = [...events.value, event];
    if (job.value) job.value = afterEvent(job.value, event);
    if (!SETTLING.test(event.type)) return;
    clearTimeout(reading);
    reading = setTimeout(() => void read(), READ_AFTER_MS);
  };
  const watch = async (stopped: AbortSignal) => {
    const onConnected = (is: boolean) => (connected.value = is);
    const options = { signal: stopped, onConnected, patienceMs: Infinity };
    try {
      for await (const { type, data } of client.value.watch(id, options)) {
        if (type === 'snapshot') job.value = data as Job;
        else take(data as JobEvent);
      }
    } catch (failure) {
      if (!stopped.aborted) throw failure;
    }
  };
  const stop = () => {
    following.abort();
    clearTimeout(reading);
  };
  const follow = () => {
    stop();
    following = new AbortController();
    events.value = [];
    watch(following.signal).catch((failure: unknown) => (error.value = failure));
  };
  return { job, events, connected, error, follow, stop };
}

/** Takes from `fresh` the editions that have ended, with their traits and thumbnails. */
function withSettled(job: Job, fresh: Job): Job {
  const settled = new Map(fresh.generations.filter(({ status }) => hasEnded(status)).map((each) => [each.id, each]));
  return { ...job, cost: fresh.cost, generations: job.generations.map((each) => settled.get(each.id) ?? each) };
}
