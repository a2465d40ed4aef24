import type { FeedMessage } from '#libs/events/event-feed.js';
import type { EventLog } from '#libs/events/event-log.js';
import { FINAL_EVENTS, type JobEvent, type NodeProgress } from '#libs/events/job-event.js';
import { ProgressThinner } from './progress-thinner.js';
import type { SseConnection } from './sse-connection.js';

const EVENTS_PER_READ = 200;
/** Events held from messages while older ones are on their way; beyond that they are read. */
const CARRIED_AT_MOST = 200;

export interface JobStreamParts {
  jobId: string;
  log: EventLog;
  /** The event as JSON, for everyone who listens. */
  textOf: (event: JobEvent) => string;
}

/**
 * The recorded events of one job for one client: each once, in order, whatever the messages do. A message
 * may bring the next events along; where it does not, or leaves a gap, the rows are read. So nothing is
 * ever kept for a client but the place where it is.
 */
export class JobStream {
  private connection: SseConnection | null = null;
  private delivered = 0;
  private known = 0;
  private final = false;
  private carried: JobEvent[] = [];
  private pumping = false;
  private readonly thinner = new ProgressThinner();

  constructor(private readonly parts: JobStreamParts) {}

  /** Goes on after event `delivered`; `known` is the newest there is. `final` tells that it ended the job. */
  start(connection: SseConnection, delivered: number, known: number, final: boolean): void {
    this.connection = connection;
    this.delivered = delivered;
    this.known = Math.max(this.known, known);
    this.final = final;
    void this.pump();
  }

  /** Takes a message of the feed; from before `start` too, so that nothing falls in between. */
  receive(message: FeedMessage): void {
    if (message.kind === 'progress') return this.report(message.event);
    if (message.seq <= this.known) return;
    this.carry(message.events ?? []);
    this.known = message.seq;
    void this.pump();
  }

  private report(event: NodeProgress): void {
    const { connection } = this;
    if (!connection || this.pumping || connection.congested || !this.thinner.passes(event)) return;
    void connection.send({ event: event.type, json: JSON.stringify(event) });
  }

  private carry(events: JobEvent[]): void {
    const follows = events[0]?.seq === (this.carried.at(-1)?.seq ?? this.known) + 1;
    const fits = this.carried.length + events.length <= CARRIED_AT_MOST;
    this.carried = follows && fits ? [...this.carried, ...events] : [];
  }

  private async pump(): Promise<void> {
    const { connection } = this;
    if (!connection || this.pumping) return;
    this.pumping = true;
    try {
      while (this.delivered < this.known && !connection.closed) {
        // Without a wait where none is needed: most messages bring what comes next, and most clients take it.
        const events = this.takeCarried() ?? (await this.read());
        if (events.length === 0) break;
        const taking = this.deliver(connection, events);
        if (taking) await taking;
      }
      if (this.final && this.delivered >= this.known) connection.end();
    } catch {
      // The database is away. The client comes back and resumes.
      connection.destroy();
    } finally {
      this.pumping = false;
    }
  }

  /** The next events, as far as messages brought them. */
  private takeCarried(): JobEvent[] | null {
    const carried = this.carried.filter(({ seq }) => seq > this.delivered);
    if (carried[0]?.seq !== this.delivered + 1) return null;
    this.carried = [];
    return carried;
  }

  private read(): Promise<JobEvent[]> {
    const { jobId, log } = this.parts;
    return log.after(jobId, this.delivered, EVENTS_PER_READ);
  }

  /** Null: the client took them all; else the rest follows as it takes more. */
  private deliver(connection: SseConnection, events: JobEvent[], from = 0): Promise<unknown> | null {
    for (const [place, event] of events.slice(from).entries()) {
      const taking = connection.send({ id: String(event.seq), event: event.type, json: this.parts.textOf(event) });
      this.delivered = event.seq;
      this.known = Math.max(this.known, event.seq);
      this.final = FINAL_EVENTS.has(event.type);
      if (taking) return taking.then(() => this.deliver(connection, events, from + place + 1));
    }
    return null;
  }
}
