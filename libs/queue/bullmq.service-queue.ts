import type { IQueueBackend, Job, Queue, QueueEvents } from 'bullmq';
import { LRUCache } from 'lru-cache';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { within } from './deadline.js';
import type { QueueBackend } from './queue-backend.js';
import {
  fractionOf, ServiceQueueUnavailable, type ServiceJob, type ServiceJobListener, type ServiceJobReference,
  type ServiceJobState, type ServiceQueue,
} from './service-queue.js';

const CALL_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** Services whose queues are kept open; each holds a connection to hear its events. */
const MAX_SERVICES = 8;
const MAX_FOLLOWED = 10_000;
/** How long results are kept for the step that waits for them. */
const KEEP_SECONDS = 24 * 3_600;
/** Progress of one job is passed on this often at most. */
const PROGRESS_EVERY_MS = 200;

type Jobs = Queue<JsonObject, Json, string, JsonObject, Json, string, IQueueBackend, unknown>;

interface Service {
  jobs: Jobs;
  events: QueueEvents<Json, IQueueBackend, unknown>;
}

interface Followed extends ServiceJobListener {
  progressAt: number;
}

/**
 * One BullMQ queue per service, `direct.<service>`, for any BullMQ worker in any language. A job's id is its
 * token, so that a repeat is the same job. Connects when it is first used.
 */
export class BullmqServiceQueue implements ServiceQueue {
  private backend: Promise<QueueBackend> | undefined;
  private readonly services: LRUCache<string, Promise<Service>>;
  private readonly followed = new LRUCache<string, Followed>({ max: MAX_FOLLOWED });
  private readonly closing = new Set<Promise<unknown>>();

  constructor(
    private readonly connect: () => Promise<QueueBackend>,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {
    const dispose = (opened: Promise<Service>) => this.letGo(opened);
    this.services = new LRUCache({ max: MAX_SERVICES, dispose });
  }

  async add({ token, service, priority, ...job }: ServiceJob, listener: ServiceJobListener): Promise<ServiceJobReference> {
    const data = {
      id: token, service_required: service, payload: job.payload, requirements: job.requirements, priority,
      customer_id: job.userId, generation_id: job.generationId,
    };
    const keep = { age: KEEP_SECONDS };
    // Before it is added: a quick service may be done with it at once.
    this.follow({ service, id: token }, listener);
    await this.ask(service, ({ jobs }) => jobs.add(service, data, {
      jobId: token, attempts: 1, removeOnComplete: keep, removeOnFail: keep,
      // BullMQ takes low numbers first, and those without one before all others.
      priority: 101 - priority,
    }));
    return { service, id: token };
  }

  async find(service: string, token: string): Promise<ServiceJobReference | null> {
    const job = await this.ask(service, ({ jobs }) => jobs.getJob(token));
    return job ? { service, id: token } : null;
  }

  look({ service, id }: ServiceJobReference): Promise<ServiceJobState> {
    return this.ask(service, async ({ jobs }) => {
      const job = await jobs.getJob(id);
      if (!job) return { state: 'lost', progress: null, result: null, reason: null };
      return stateOf(job as Job, await job.getState());
    });
  }

  async cancel({ service, id }: ServiceJobReference): Promise<void> {
    this.followed.delete(id);
    await this.ask(service, async ({ jobs }) => {
      const job = await jobs.getJob(id);
      if (!job || job.finishedOn) return;
      // One that is being done is locked by its worker, which finds the mark in its data.
      await job.remove().catch(() => job.updateData({ ...job.data, cancelled: true }));
    });
  }

  follow({ service, id }: ServiceJobReference, listener: ServiceJobListener): void {
    this.followed.set(id, { ...listener, progressAt: 0 });
    void this.service(service).catch(this.onError);
  }

  async close(): Promise<void> {
    this.followed.clear();
    this.services.clear();
    await Promise.all(this.closing);
    const backend = await this.backend?.catch(() => undefined);
    if (backend) await within(CLOSE_TIMEOUT_MS, backend.close()).catch(this.onError);
  }

  private async ask<Answer>(service: string, call: (service: Service) => Promise<Answer>): Promise<Answer> {
    try {
      return await within(CALL_TIMEOUT_MS, this.service(service).then(call));
    } catch (error) {
      this.onError(error as Error);
      throw new ServiceQueueUnavailable();
    }
  }

  private service(name: string): Promise<Service> {
    const known = this.services.get(name);
    if (known) return known;
    const opening = this.open(name);
    this.services.set(name, opening);
    // The next call tries again.
    opening.catch(() => this.services.peek(name) === opening && this.services.delete(name));
    return opening;
  }

  private async open(name: string): Promise<Service> {
    const { classes, queueOptions, workerOptions } = await this.connected();
    const queue = `direct.${name}`;
    const jobs = new classes.Queue<JsonObject, Json>(queue, queueOptions) as unknown as Jobs;
    const events = new classes.QueueEvents<Json>(queue, workerOptions);
    jobs.on('error', this.onError);
    events.on('error', this.onError);
    events.on('completed', ({ jobId }) => this.end(jobId));
    events.on('failed', ({ jobId }) => this.end(jobId));
    events.on('removed', ({ jobId }) => this.end(jobId));
    events.on('progress', ({ jobId, data }) => this.progress(jobId, data));
    await events.waitUntilReady();
    return { jobs, events };
  }

  private connected(): Promise<QueueBackend> {
    this.backend ??= this.connect().catch((error: unknown) => {
      this.backend = undefined;
      throw error;
    });
    return this.backend;
  }

  private end(id: string): void {
    const listener = this.followed.get(id);
    this.followed.delete(id);
    listener?.ended();
  }

  private progress(id: string, data: unknown): void {
    const [listener, fraction, now] = [this.followed.get(id), fractionOf(data), Date.now()];
    if (!listener || fraction === null || now - listener.progressAt < PROGRESS_EVERY_MS) return;
    listener.progressAt = now;
    listener.progress(fraction);
  }

  private letGo(opened: Promise<Service>): void {
    const closed = opened
      .then(({ jobs, events }) => within(CLOSE_TIMEOUT_MS, Promise.all([jobs.close(), events.close()])))
      .catch(this.onError)
      .finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }
}

function stateOf({ progress, returnvalue, failedReason }: Job, state: string): ServiceJobState {
  const told = { progress: fractionOf(progress), result: null, reason: null };
  if (state === 'completed') return { ...told, state, result: (returnvalue as Json | undefined) ?? null };
  if (state === 'failed') return { ...told, state, reason: failedReason ?? null };
  return { ...told, state: OPEN_STATES.get(state) ?? 'waiting' };
}

const OPEN_STATES = new Map<string, 'running' | 'lost'>([['active', 'running'], ['unknown', 'lost']]);
