import { channel, subscribe, unsubscribe, type Channel } from 'node:diagnostics_channel';
import type { Movement } from '#libs/credits/ledger.js';
import type { DeliveryStatus } from '#libs/deliveries/delivery.js';
import type { JobEvent } from '#libs/events/job-event.js';

/** The job whose change was committed. */
export interface CommittedJob {
  id: string;
  /** Null: made from an instruction set of its own. */
  workflowId: string | null;
}

/** A committed change of state: its events, in order. */
export interface Committed {
  job: CommittedJob;
  events: readonly JobEvent[];
}

/**
 * What happened, for those who count it. Where tracepoints mark places, signals carry facts: each is a
 * channel of `node:diagnostics_channel`, so that who tells needs to know nobody who listens.
 */
export class Signal<Fact> {
  private readonly channel: Channel;

  constructor(private readonly name: string) {
    this.channel = channel(name);
  }

  /** Tells it to all who listen in this process. Without a listener this is one comparison. */
  send(fact: Fact): void {
    if (this.channel.hasSubscribers) this.channel.publish(fact);
  }

  /** Returns the way to stop. */
  listen(listener: (fact: Fact) => void): () => void {
    const receive = (fact: unknown) => listener(fact as Fact);
    subscribe(this.name, receive);
    return () => void unsubscribe(this.name, receive);
  }
}

export const signals = {
  /** A submission was committed. `workflowId` null: an instruction set of its own. */
  submitted: new Signal<{ workflowId: string | null; face: string; generations: number }>('platen:signal.submitted'),
  /** A generation began for the first time. `waitedMs`: since it might have. */
  begun: new Signal<{ waitedMs: number }>('platen:signal.begun'),
  /** A job's events were committed. */
  committed: new Signal<Committed>('platen:signal.committed'),
  /** Credits moved, and that was committed. */
  moved: new Signal<readonly Movement[]>('platen:signal.moved'),
  /** A write under a lease that is no longer the newest was refused. */
  refused: new Signal<{ generationId: string }>('platen:signal.refused'),
  /** One sweep of the reconciler is over. */
  repaired: new Signal<{ lostLeases: number; timedOut: number; woken: number }>('platen:signal.repaired'),
  /** An attempt at a webhook was recorded. `pending`: it is tried again. */
  delivered: new Signal<{ status: DeliveryStatus }>('platen:signal.delivered'),
  /** A draft was drawn, or its sketch was at fault. */
  drafted: new Signal<{ ok: boolean }>('platen:signal.drafted'),
};
