import type { BusMessage, EventBus } from './event-bus.js';
import type { EventLog, LogHead } from './event-log.js';

/** What a listener of a job or of a user hears: new events (or only that there are some), or progress. */
export type FeedMessage = Extract<BusMessage, { kind: 'events' | 'progress' }>;
export type FeedListener = (message: FeedMessage) => void;

const LOOK_EVERY_MS = 5_000;
const JOBS_PER_LOOK = 1_000;

/**
 * Hands the bus's messages to those who care for their job or user: one subscription of the bus, however
 * many listeners. A message that was lost is made up for every 5 s by one look at all jobs listened to.
 */
export class EventFeed {
  private readonly jobs = new Map<string, Set<FeedListener>>();
  private readonly users = new Map<string, Set<FeedListener>>();
  private readonly unsubscribe: () => void;
  private readonly timer: NodeJS.Timeout;
  private looking = false;

  constructor(
    bus: EventBus,
    private readonly log: EventLog,
    lookEveryMs = LOOK_EVERY_MS,
  ) {
    this.unsubscribe = bus.subscribe((message) => this.route(message));
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    this.timer.unref();
  }

  /** Returns the way to stop. */
  ofJob(jobId: string, listener: FeedListener): () => void {
    return listen(this.jobs, jobId, listener);
  }

  /** Returns the way to stop. */
  ofUser(userId: string, listener: FeedListener): () => void {
    return listen(this.users, userId, listener);
  }

  /** How many jobs and users are listened to. */
  get size(): number {
    return this.jobs.size + this.users.size;
  }

  close(): void {
    clearInterval(this.timer);
    this.unsubscribe();
  }

  private route(message: BusMessage): void {
    if (message.kind === 'cancel') return;
    const jobId = message.kind === 'events' ? message.jobId : message.event.job_id;
    for (const listener of this.jobs.get(jobId) ?? []) listener(message);
    for (const listener of this.users.get(message.userId) ?? []) listener(message);
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const jobIds = [...this.jobs.keys()];
      for (let from = 0; from < jobIds.length; from += JOBS_PER_LOOK) {
        for (const head of await this.log.heads(jobIds.slice(from, from + JOBS_PER_LOOK))) this.hint(head);
      }
    } catch {
      // The database is away: the next look tells.
    } finally {
      this.looking = false;
    }
  }

  private hint({ jobId, userId, collectionId, seq }: LogHead): void {
    for (const listener of this.jobs.get(jobId) ?? []) {
      listener({ kind: 'events', jobId, userId, collectionId, seq });
    }
  }
}

function listen(listeners: Map<string, Set<FeedListener>>, id: string, listener: FeedListener): () => void {
  const own: FeedListener = (message) => listener(message);
  const all = listeners.get(id) ?? new Set();
  listeners.set(id, all.add(own));
  return () => {
    all.delete(own);
    if (all.size === 0 && listeners.get(id) === all) listeners.delete(id);
  };
}
