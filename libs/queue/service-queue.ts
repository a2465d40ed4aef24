import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';

/** A job for a service outside, as `direct_job` describes it. */
export interface ServiceJob {
  /** The attempt's own: a job is known by it, and is not added twice. */
  token: string;
  service: string;
  payload: Json;
  requirements: Json;
  /** 1 to 100, 100 first. */
  priority: number;
  /** Whose generation it is. */
  userId: string;
  generationId: string;
}

export interface ServiceJobState {
  /** `lost`: the queue does not know it, or no longer. */
  state: 'waiting' | 'running' | 'completed' | 'failed' | 'lost';
  /** From 0 to 1, where the service tells. */
  progress: number | null;
  result: Json;
  /** Why it failed, in the service's words. */
  reason: string | null;
}

/** What whoever waits for a job wants to hear of it. Events may be lost: `look` is the truth. */
export interface ServiceJobListener {
  progress(fraction: number): void;
  /** It has ended, somehow. */
  ended(): void;
}

/** Where a job is, in the queue's own terms. Kept with the step that waits for it. */
export interface ServiceJobReference {
  service: string;
  id: string;
}

/**
 * The queue between Platen and services that do jobs. A job whose answer is lost is found by its token. Failures
 * of the queue itself are `ServiceQueueUnavailable`; none takes longer than 10 s.
 */
export interface ServiceQueue {
  /** The same token twice is one job. `listener` as in `follow`. */
  add(job: ServiceJob, listener: ServiceJobListener): Promise<ServiceJobReference>;
  /** The job of a token, whatever became of it; null: there is none. */
  find(service: string, token: string): Promise<ServiceJobReference | null>;
  look(reference: ServiceJobReference): Promise<ServiceJobState>;
  /** Takes it out of the queue, or has its service told that nobody waits any more. Idempotent. */
  cancel(reference: ServiceJobReference): Promise<void>;
  /** From now on, in this process. */
  follow(reference: ServiceJobReference, listener: ServiceJobListener): void;
  close(): Promise<void>;
}

export class ServiceQueueUnavailable extends Error {
  constructor() {
    super('The queue of services cannot be reached');
    this.name = 'ServiceQueueUnavailable';
  }
}

export const SERVICE_NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

/** What a service says of its progress: percent, `{ progress }`, or something else. */
export function fractionOf(progress: unknown): number | null {
  const told = typeof progress === 'object' && progress !== null ? (progress as JsonObject)['progress'] : progress;
  return typeof told === 'number' && told >= 0 ? Math.min(1, told / 100) : null;
}
