import type { JobEvent, NodeProgress } from './job-event.js';

/**
 * What processes tell each other. Each message is a hint about rows, so losing one costs latency only:
 * `events` says that a job has new ones (and carries them when they fit), `progress` is not recorded,
 * `cancel` reaches workers that run one of these generations.
 */
export type BusMessage =
  | { kind: 'events'; jobId: string; userId: string; collectionId: string | null; seq: number; events?: JobEvent[] }
  | { kind: 'progress'; userId: string; collectionId: string | null; event: NodeProgress }
  | { kind: 'cancel'; generationIds: string[] };

export abstract class EventBus {
  /** Never throws and never waits longer than 2 s. */
  abstract publish(message: BusMessage): Promise<void>;

  /** One subscription of the backend per process, however many listeners. Returns the way to stop. */
  abstract subscribe(listener: (message: BusMessage) => void): () => void;

  /** Whether messages can pass right now (`degraded` of the readiness answer). */
  abstract healthy(): boolean;

  abstract close(): Promise<void>;
}
