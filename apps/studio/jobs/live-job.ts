import { signal, type Signal } from '@preact/signals';
import { readJob } from '../api/platen.js';
import type { Job, JobEvent } from '../api/shapes.js';
import { afterEvent, hasEnded, withSettled } from './job-state.js';

/** Events after which the job is read again: they settle what they do not tell, traits and thumbnails. */
const SETTLING = /^(generation|job)_(completed|failed|cancelled)$/;
/** Editions that end one upon the other are read together. */
const SETTLED_AFTER_MS = 250;

/** One job as it goes on, by the events that are told to it. */
export interface LiveJob {
  job: Signal<Job | null>;
  /** Begins anew, with the job as it is now. */
  show: (job: Job) => void;
  /** Reads the job, and shows it. */
  load: () => Promise<void>;
  /** What comes before the job is shown, or while it is loaded, happens to it then. */
  take: (event: JobEvent) => void;
  stop: () => void;
}

export function liveJob(id: string): LiveJob {
  const job = signal<Job | null>(null);
  let waiting: JobEvent[] | null = [];
  let settling: ReturnType<typeof setTimeout> | undefined;
  /** Counts what is shown: an answer to a question from before that comes too late. */
  let turn = 0;

  const stop = () => {
    turn += 1;
    clearTimeout(settling);
    settling = undefined;
  };
  const show = (now: Job) => {
    stop();
    job.value = (waiting ?? []).reduce(afterEvent, now);
    waiting = null;
  };
  const load = async () => {
    waiting ??= [];
    const asked = ++turn;
    const fresh = await readJob(id);
    if (asked === turn) show(fresh);
  };
  const settle = async () => {
    settling = undefined;
    const asked = turn;
    const fresh = await readJob(id).catch(() => null);
    if (!fresh || !job.value || asked !== turn) return;
    // It may be older than the events that came meanwhile, except when it says that all is over.
    job.value = hasEnded(fresh.status) ? fresh : withSettled(job.value, fresh);
  };
  const take = (event: JobEvent) => {
    if (waiting || !job.value) return void waiting?.push(event);
    job.value = afterEvent(job.value, event);
    if (SETTLING.test(event.type)) settling ??= setTimeout(() => void settle(), SETTLED_AFTER_MS);
  };
  return { job, show, load, take, stop };
}
