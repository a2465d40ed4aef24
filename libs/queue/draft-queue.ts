import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IQueueBackend, Job, JobProgress, Queue, Worker } from 'bullmq';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { within } from './deadline.js';
import type { QueueBackend } from './queue-backend.js';

const QUEUE = 'platen-drafts';
const LOOK_MS = 40;
const CLOSE_MS = 5_000;
/** How long an answer that nobody fetched is kept. */
const KEEP_SECONDS = 30;

/** A sketch to be drawn once, small, for its author's eyes only. */
export interface DraftRequest {
  code: string;
  hash: string;
  variables: JsonObject;
  width: number;
  height: number;
}

export type DraftAnswer =
  | {
      ok: true;
      /** Base64. */
      image: string;
      mimeType: string;
      width: number;
      height: number;
      features: Record<string, string | number | boolean>;
      logs: string[];
    }
  | { ok: false; code: string; message: string; logs: string[] };

/** No worker drew it in time, or the queue is away. */
export class DraftUndrawn extends Error {}

/** Nobody waits for the answer after `deadline`, in milliseconds since 1970. */
type DraftJob = DraftRequest & { deadline: number };
type DraftJobs = Queue<DraftJob, DraftAnswer, string, DraftJob, DraftAnswer, string, IQueueBackend, unknown>;
type DraftWorker = Worker<DraftJob, DraftAnswer, string, IQueueBackend, JobProgress, unknown>;

/**
 * Drafts go to the workers, so that a draft is drawn by the very browser that will render the edition.
 * Nothing depends on them: one that is lost is asked for again.
 */
export class DraftQueue {
  private readonly jobs: DraftJobs;
  private worker?: DraftWorker;

  constructor(
    private readonly backend: QueueBackend,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {
    this.jobs = new backend.classes.Queue<DraftJob>(QUEUE, backend.queueOptions) as DraftJobs;
    this.jobs.on('error', onError);
  }

  /** Asks for a draft and waits for it. Throws `DraftUndrawn` when there is none after `timeoutMs`. */
  async request(draft: DraftRequest, timeoutMs: number): Promise<DraftAnswer> {
    try {
      return await within(timeoutMs, this.ask({ ...draft, deadline: Date.now() + timeoutMs }));
    } catch (error) {
      this.onError(error as Error);
      throw new DraftUndrawn('No worker drew the draft');
    }
  }

  /** Draws drafts in this process, one at a time. One whose asker has gone is not drawn. */
  serve(draw: (draft: DraftRequest) => Promise<DraftAnswer>): void {
    this.worker = new this.backend.classes.Worker<DraftJob, DraftAnswer>(
      QUEUE,
      ({ data: { deadline, ...draft } }: Job<DraftJob, DraftAnswer>) => {
        if (Date.now() >= deadline) throw new DraftUndrawn('Nobody waits for the draft any more');
        return draw(draft);
      },
      { ...this.backend.workerOptions, concurrency: 1 },
    ) as DraftWorker;
    this.worker.on('error', this.onError);
  }

  async close(): Promise<void> {
    // A worker would wait for ever for a datastore that is away.
    const isAway = await within(CLOSE_MS, this.backend.ping()).then(() => false, () => true);
    for (const close of [() => this.worker?.close(isAway), () => this.jobs.close(), () => this.backend.close()]) {
      await within(CLOSE_MS, Promise.resolve(close())).catch(this.onError);
    }
  }

  private async ask(draft: DraftJob): Promise<DraftAnswer> {
    const keep = { age: KEEP_SECONDS };
    const jobId = `draft-${randomUUID()}`;
    try {
      await this.jobs.add('draft', draft, { jobId, attempts: 1, removeOnComplete: keep, removeOnFail: keep });
      return await this.answerTo(jobId, draft.deadline);
    } finally {
      await this.jobs.remove(jobId).catch(() => undefined);
    }
  }

  private async answerTo(id: string, deadline: number): Promise<DraftAnswer> {
    while (Date.now() < deadline) {
      const job = await this.jobs.getJob(id);
      if (job?.finishedOn && job.returnvalue) return job.returnvalue;
      if (!job || job.failedReason) break;
      await sleep(LOOK_MS);
    }
    throw new Error('The draft was lost');
  }
}
