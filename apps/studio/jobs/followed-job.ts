import { signal, type Signal } from '@preact/signals';
import { client } from '../api/client.js';
import type { Job, JobEvent } from '../api/shapes.js';
import { liveJob } from './live-job.js';

/** The newest are kept: a page with all events of ten thousand editions could not be scrolled. */
const MOST_EVENTS = 1_000;

/** A job that is followed on a stream of its own. */
export interface FollowedJob {
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

export function followedJob(id: string): FollowedJob {
  const live = liveJob(id);
  const events = signal<JobEvent[]>([]);
  const connected = signal<boolean | null>(null);
  const error = signal<unknown>(null);
  let following = new AbortController();

  const take = (event: JobEvent) => {
    if (event.seq !== undefined) events.value = [...events.value, event].slice(-MOST_EVENTS);
    live.take(event);
  };
  const watch = async (stopped: AbortSignal) => {
    const onConnected = (is: boolean) => (connected.value = is);
    try {
      for await (const { type, data } of client.value.watch(id, { signal: stopped, onConnected, patienceMs: Infinity })) {
        if (type === 'snapshot') live.show(data as Job);
        else take(data as JobEvent);
      }
    } catch (failure) {
      if (!stopped.aborted) error.value = failure;
    }
  };
  const stop = () => {
    following.abort();
    live.stop();
  };
  const follow = () => {
    stop();
    following = new AbortController();
    [events.value, error.value] = [[], null];
    void watch(following.signal);
  };
  return { job: live.job, events, connected, error, follow, stop };
}
