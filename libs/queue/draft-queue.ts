import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IQueueBackend, Job, JobProgress, Queue, Worker } from 'bullmq';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { QueueBackend } from './queue-backend.js';

const QUEUE = 'platen-drafts';
const LOOK_MS = 40;
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

/** No worker answered in time. */
export class DraftTimeout extends Error {}

type DraftJobs = Queue<DraftRequest, DraftAnswer, string, DraftRequest, DraftAnswer, string, IQueueBackend, unknown>;
type DraftWorker = Worker<DraftRequest, DraftAnswer, string, IQueueBackend, JobProgress, unknown>;

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
    this.jobs = new backend.classes.Queue<DraftRequest>(QUEUE, backend.queueOptions) as DraftJobs;
    this.jobs.on('error', onError);
  }

  /** Asks for a draft and waits for it. Throws `DraftTimeout` when nobody draws it in time. */
  async request(draft: DraftRequest, timeoutMs: number): Promise<DraftAnswer> {
    const keep = { age: KEEP_SECONDS };
    const job = await this.jobs.add('draft', draft, {
      jobId: `draft-${randomUUID()}`, attempts: 1, removeOnComplete: keep, removeOnFail: keep,
    });
    try {
      return await this.answerTo(job.id as string, Date.now() + timeoutMs);
    } finally {
      await this.jobs.remove(job.id as string).catch(() => undefined);
    }
  }

  /** Draws drafts in this process, one at a time. */
  serve(draw: (draft: DraftRequest) => Promise<DraftAnswer>): void {
    this.worker = new this.backend.classes.Worker<DraftRequest, DraftAnswer>(
      QUEUE,
      (job: Job<DraftRequest, DraftAnswer>) => draw(job.data),
      { ...this.backend.workerOptions, concurrency: 1 },
    ) as DraftWorker;
    this.worker.on('error', this.onError);
  }

  async close(): Promise<void> {
    await this.worker?.close(true).catch(this.onError);
    await this.jobs.close().catch(this.onError);
    await this.backend.close().catch(this.onError);
  }

  private async answerTo(id: string, deadline: number): Promise<DraftAnswer> {
    while (Date.now() < deadline) {
      const job = await this.jobs.getJob(id);
      if (job?.finishedOn && job.returnvalue) return job.returnvalue;
      if (!job || job.failedReason) break;
      await sleep(LOOK_MS);
    }
    throw new DraftTimeout('No worker drew the draft in time');
  }
}
