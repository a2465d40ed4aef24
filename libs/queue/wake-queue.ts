import type { Lane } from '#libs/nodes/node.js';

/**
 * "This lane has work." Postgres holds what must happen: a wake-up may be lost, doubled or late without
 * harm, since the reconciler finds rows whose time has come and wakes them again.
 */
export interface WakeUp {
  lane: Lane;
  generationId: string;
  /**
   * The generation's `lease` + `wake_seq`, which grows with each claim and each wake: makes the queue job's
   * id, so that a repeat is dropped and the next wake-up is not.
   */
  dispatch: number;
  delayMs?: number;
}

export interface WakeQueueConsumer {
  /** Takes nothing new; running handlers go on. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** Entries of one lane in one state. */
export interface LaneDepth {
  lane: Lane;
  state: string;
  count: number;
}

/** Bytes. */
export interface QueueMemory {
  used: number;
  /** What the queue may use: its own limit, else all that its machine has. */
  limit: number;
}

export abstract class WakeQueue {
  /** Never waits longer than 2 s for a broken queue and never throws: a lost wake-up costs latency only. */
  abstract wake(wakeUps: WakeUp[]): Promise<void>;

  /** Calls `handler` for each wake-up of `lane`, `concurrency` at a time. */
  abstract consume(
    lane: Lane,
    concurrency: number,
    handler: (wakeUp: WakeUp) => Promise<void>,
  ): WakeQueueConsumer;

  /** How many entries there are. Fails when the queue is away, and never takes longer than 2 s. */
  abstract depth(): Promise<LaneDepth[]>;

  /** Memory of the Redis that carries the queue; null where Postgres does. Fails and hurries as `depth`. */
  abstract memory(): Promise<QueueMemory | null>;

  abstract close(): Promise<void>;
}
