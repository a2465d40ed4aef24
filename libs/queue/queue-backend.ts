import type { BackendClasses, BackendFactory, IQueueBackend } from 'bullmq';
import type { QueueMemory } from './wake-queue.js';

/** Which datastore BullMQ runs on. The types of its connection end here: the rest is the same on all. */
export interface QueueBackend {
  classes: Pick<BackendClasses<IQueueBackend, unknown>, 'Queue' | 'Worker' | 'QueueEvents'>;
  queueOptions: { connection: unknown; prefix?: string };
  workerOptions: { connection: unknown; prefix?: string };
  /** Whether a wake-up can be stored right now. */
  ready(): boolean;
  /** Fails when the datastore does not answer. */
  ping(): Promise<unknown>;
  /** Null: it has no memory of its own to run out of. */
  memory(): Promise<QueueMemory | null>;
  /** Ends the connections that queues and workers share. */
  close(): Promise<void>;
}

export type AnyBackendFactory = BackendFactory<IQueueBackend, unknown>;
