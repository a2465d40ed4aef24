import type { FeedMessage } from '#libs/events/event-feed.js';
import type { EventLog, LogPosition, LogScope } from '#libs/events/event-log.js';
import type { JobEvent, NodeProgress } from '#libs/events/job-event.js';
import { ProgressThinner } from './progress-thinner.js';
import type { SseConnection } from './sse-connection.js';
import { encodePosition } from './stream-position.js';

const EVENTS_PER_READ = 200;
const LOOK_EVERY_MS = 5_000;
/** An event is held back while an older transaction is open; that is a matter of milliseconds. */
const LOOK_AGAIN_MS = 50;

export interface AccountStreamParts {
  scope: LogScope;
  log: EventLog;
  textOf: (event: JobEvent) => string;
}

/**
 * The recorded events of all of a user's jobs, or of one collection's, for one client: each once, in the
 * order of positions. Messages only say that there are some; the rows are always read.
 */
export class AccountStream {
  private connection: SseConnection | null = null;
  private position: LogPosition | null = null;
  /** Sequence numbers that messages told of and that were not delivered yet, by job. */
  private readonly expected = new Map<string, number>();
  private pumping = false;
  private again: NodeJS.Timeout | undefined;
  private readonly thinner = new ProgressThinner();

  constructor(private readonly parts: AccountStreamParts) {}

  /** Goes on after `position`. */
  start(connection: SseConnection, position: LogPosition): void {
    this.connection = connection;
    this.position = position;
    const look = setInterval(() => this.look(), LOOK_EVERY_MS);
    look.unref();
    connection.onClose(() => {
      clearInterval(look);
      clearTimeout(this.again);
    });
    void this.pump();
  }

  /** Takes a message of the feed; from before `start` too. */
  receive(message: FeedMessage): void {
    const { collectionId } = this.parts.scope;
    if (collectionId !== undefined && message.collectionId !== collectionId) return;
    if (message.kind === 'progress') return this.report(message.event);
    this.expected.set(message.jobId, Math.max(message.seq, this.expected.get(message.jobId) ?? 0));
    void this.pump();
  }

  private report(event: NodeProgress): void {
    const { connection } = this;
    if (!connection || this.pumping || connection.congested || !this.thinner.passes(event)) return;
    void connection.send({ event: event.type, json: JSON.stringify(event) });
  }

  /** What was expected in vain (a deleted job) is forgotten here. */
  private look(): void {
    this.expected.clear();
    void this.pump();
  }

  private async pump(): Promise<void> {
    const { connection } = this;
    if (!connection || this.pumping || connection.closed) return;
    this.pumping = true;
    clearTimeout(this.again);
    try {
      while (!connection.closed && (await this.deliver(connection)) === EVENTS_PER_READ);
    } catch {
      // The database is away. The client comes back and resumes.
      connection.destroy();
    } finally {
      this.pumping = false;
    }
    if (this.expected.size > 0 && !connection.closed) {
      this.again = setTimeout(() => void this.pump(), LOOK_AGAIN_MS);
    }
  }

  /** One read's worth. Returns how many there were. */
  private async deliver(connection: SseConnection): Promise<number> {
    const { scope, log, textOf } = this.parts;
    const logged = await log.afterPosition(scope, this.position as LogPosition, EVENTS_PER_READ);
    for (const { position, event } of logged) {
      await connection.send({ id: encodePosition(position), event: event.type, json: textOf(event) });
      this.position = position;
      if ((this.expected.get(event.job_id) ?? Infinity) <= event.seq) this.expected.delete(event.job_id);
    }
    return logged.length;
  }
}
