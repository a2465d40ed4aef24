import type { FastifyReply } from 'fastify';
import type { FileUrls } from '#libs/assets/file-urls.js';
import { jobNotFound, rateLimited, serviceUnavailable } from '#libs/errors/errors.js';
import type { EventFeed } from '#libs/events/event-feed.js';
import type { EventLog, LogScope } from '#libs/events/event-log.js';
import type { JobEvent } from '#libs/events/job-event.js';
import type { JobQueries } from '#libs/generations/job-queries.js';
import { hasEnded } from '#libs/generations/job-status.js';
import { presentEvent } from '#libs/generations/job-view.js';
import { AccountStream } from './account-stream.js';
import { JobStream } from './job-stream.js';
import { EVENT_STREAM, SseConnection } from './sse-connection.js';
import { decodePosition, decodeSeq, encodePosition } from './stream-position.js';

const STREAMS_PER_USER = 100;
const OPEN_JOBS_SHOWN = 100;
const RETRY_AFTER_SECONDS = 10;
/** What a client has at shutdown to take the rest. */
const SHUTDOWN_GRACE_MS = 1_000;

export interface StreamRequest {
  userId: string;
  reply: FastifyReply;
  lastEventId: string | undefined;
  /** After this the stream ends; the client may come back with other credentials. */
  validForMs?: number;
}

/** The first thing a stream does. */
type Beginning = (connection: SseConnection) => Promise<void>;

/** Opens event streams and knows all that are open in this process. */
export class EventGateway {
  private readonly connections = new Set<SseConnection>();
  private readonly streamsOf = new Map<string, number>();
  private readonly texts = new WeakMap<JobEvent, string>();
  private closing = false;

  constructor(
    private readonly feed: EventFeed,
    private readonly log: EventLog,
    private readonly jobs: JobQueries,
    private readonly urls: FileUrls,
  ) {}

  /**
   * One job's events: a snapshot first or, after `lastEventId`, what was recorded since; then live until
   * the job's last event. Answers 204 when there will be nothing more. Throws `JOB_NOT_FOUND`,
   * `RATE_LIMITED` (too many streams), `SERVICE_UNAVAILABLE` (shutting down).
   */
  openJob(request: StreamRequest, jobId: string): Promise<void> {
    return this.admit(request, async (onClose) => {
      const stream = new JobStream({ jobId, log: this.log, textOf: this.textOf });
      onClose(this.feed.ofJob(jobId, (message) => stream.receive(message)));
      const [head] = await this.log.heads([jobId]);
      if (head?.userId !== request.userId) throw jobNotFound();
      const resumeAfter = decodeSeq(request.lastEventId, head.seq);
      if (resumeAfter !== null) {
        if (resumeAfter === head.seq && hasEnded(head.status)) return null;
        return async (connection) => stream.start(connection, resumeAfter, head.seq, false);
      }
      const { job, seq } = await this.jobs.snapshot(request.userId, jobId);
      return async (connection) => {
        await connection.send({ id: String(seq), event: 'snapshot', json: JSON.stringify(job) });
        stream.start(connection, seq, seq, hasEnded(job.status));
      };
    });
  }

  /**
   * Events of all of the user's jobs, or of one collection's: a snapshot of the open jobs, or what was
   * recorded after `lastEventId`; then live. Throws as `openJob`, and `COLLECTION_NOT_FOUND`.
   */
  openAccount(request: StreamRequest, collectionId?: string): Promise<void> {
    const scope: LogScope = { userId: request.userId, ...(collectionId && { collectionId }) };
    return this.admit(request, async (onClose) => {
      if (collectionId) await this.jobs.assertCollectionOwner(request.userId, collectionId);
      const stream = new AccountStream({ scope, log: this.log, textOf: this.textOf });
      onClose(this.feed.ofUser(request.userId, (message) => stream.receive(message)));
      const resumeAfter = decodePosition(request.lastEventId);
      // The position first: what happens between the two reads is then told again, not lost.
      const position = resumeAfter ?? (await this.log.settledPosition());
      const open = resumeAfter ? [] : await this.jobs.open(request.userId, collectionId, OPEN_JOBS_SHOWN);
      return async (connection) => {
        if (!resumeAfter) {
          await connection.send({ id: encodePosition(position), event: 'snapshot', json: JSON.stringify({ jobs: open }) });
        }
        stream.start(connection, position);
      };
    });
  }

  /** Streams that are open in this process. */
  get size(): number {
    return this.connections.size;
  }

  /** Ends all streams, so that the server can close. Their clients reconnect, to another process. */
  close(): void {
    this.closing = true;
    for (const connection of this.connections) connection.end(SHUTDOWN_GRACE_MS);
  }

  /** Written once for all who get the same message. */
  private readonly textOf = (event: JobEvent): string => {
    const text = this.texts.get(event) ?? JSON.stringify(presentEvent(event, this.urls));
    this.texts.set(event, text);
    return text;
  };

  /**
   * Counts the stream against its user, opens it when `prepare` says how it begins, and undoes everything
   * when it ends or could not begin.
   */
  private async admit(
    { userId, reply, validForMs }: StreamRequest,
    prepare: (onClose: (undo: () => void) => void) => Promise<Beginning | null>,
  ): Promise<void> {
    const undo = [this.takeSlot(userId)];
    const release = () => undo.splice(0).forEach((step) => step());
    try {
      const begin = await prepare((step) => undo.push(step));
      if (this.closing) throw serviceUnavailable();
      // HEAD asks whether there is a stream, and waits for the end of the answer.
      if (!begin || reply.request.method === 'HEAD') {
        release();
        await reply.status(begin ? 200 : 204).type(EVENT_STREAM).send();
        return;
      }
      const connection = SseConnection.open(reply);
      this.connections.add(connection);
      undo.push(() => this.connections.delete(connection));
      if (validForMs !== undefined) undo.push(expire(connection, validForMs));
      connection.onClose(release);
      await begin(connection);
    } catch (error) {
      release();
      if (!reply.sent) throw error;
      reply.raw.destroy();
    }
  }

  private takeSlot(userId: string): () => void {
    const taken = this.streamsOf.get(userId) ?? 0;
    if (taken >= STREAMS_PER_USER) throw rateLimited(RETRY_AFTER_SECONDS);
    this.streamsOf.set(userId, taken + 1);
    return () => {
      const left = (this.streamsOf.get(userId) ?? 1) - 1;
      if (left > 0) this.streamsOf.set(userId, left);
      else this.streamsOf.delete(userId);
    };
  }
}

function expire(connection: SseConnection, validForMs: number): () => void {
  const timer = setTimeout(() => connection.end(), validForMs);
  timer.unref();
  return () => clearTimeout(timer);
}
