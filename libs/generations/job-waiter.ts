import type { EventFeed, FeedMessage } from '#libs/events/event-feed.js';
import type { EventLog } from '#libs/events/event-log.js';
import { FINAL_EVENTS } from '#libs/events/job-event.js';
import { hasEnded } from './job-status.js';

const LONGEST_SECONDS = 60;

interface Wait {
  jobId: string;
  seconds: number;
  signal?: AbortSignal;
  tells?(message: FeedMessage): boolean;
  isReached(): Promise<boolean>;
}

/** `Prefer: wait=n`: holds an answer until its job has ended. */
export class JobWaiter {
  constructor(
    private readonly feed: EventFeed,
    private readonly log: EventLog,
  ) {}

  /** Waits until the job ends, `seconds` (60 at most) have passed or `signal` aborts. Says whether it ended. */
  wait(jobId: string, seconds: number, signal?: AbortSignal): Promise<boolean> {
    return this.until({ jobId, seconds, signal, tells: mayEnd, isReached: () => this.hasEnded(jobId) });
  }

  /** As `wait`, until `isReached`, which is asked again with each message that `tells`. */
  async until({ jobId, seconds, signal, tells = () => true, isReached }: Wait): Promise<boolean> {
    const timeout = AbortSignal.timeout(Math.min(seconds, LONGEST_SECONDS) * 1_000);
    const over = signal ? AbortSignal.any([timeout, signal]) : timeout;
    let hear: () => void = () => undefined;
    const stop = this.feed.ofJob(jobId, (message) => {
      if (tells(message)) hear();
    });
    const wake = () => hear();
    over.addEventListener('abort', wake);
    try {
      for (;;) {
        const heard = new Promise<void>((resolve) => (hear = resolve));
        if (await isReached()) return true;
        if (over.aborted) return false;
        await heard;
      }
    } finally {
      over.removeEventListener('abort', wake);
      stop();
    }
  }

  private async hasEnded(jobId: string): Promise<boolean> {
    const [head] = await this.log.heads([jobId]);
    return head === undefined || hasEnded(head.status);
  }
}

/** A hint without its events may mean anything. */
const mayEnd = (message: FeedMessage): boolean =>
  message.kind === 'events' && (message.events?.some(({ type }) => FINAL_EVENTS.has(type)) ?? true);
