import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import type { Database } from '#libs/database/database.js';
import { GenerationRun } from '#libs/engine/generation-run.js';
import type { Claim, GenerationState, GenerationStore } from '#libs/engine/generation-store.js';
import type { StepProgress } from '#libs/engine/step-context.js';
import type { StepRunner } from '#libs/engine/step-runner.js';
import type { BusMessage, EventBus } from '#libs/events/event-bus.js';
import { aloneWaits, LEASE_SECONDS, renew } from '#libs/generations/claims.js';
import type { Lane } from '#libs/nodes/node.js';
import type { WakeQueue, WakeQueueConsumer } from '#libs/queue/wake-queue.js';
import { runSpan } from '#libs/tracing/road-spans.js';
import { inSpan } from '#libs/tracing/spans.js';
import { LeaseHold, type HoldListener } from './lease-hold.js';
import { Pulse } from './pulse.js';

const RENEW_MS = 3_000;
const LOOK_MS = 2_000;

export interface WorkerOptions {
  lanes: Lane[];
  /** Generations at once, per lane. */
  concurrency: number;
  graceMs: number;
}

export interface WorkerParts {
  database: Database;
  queue: WakeQueue;
  bus: EventBus;
  store: GenerationStore;
  steps: StepRunner;
  log: Logger;
}

/**
 * Takes generations and runs them. A wake-up says that a lane has work; which generation is taken is the
 * claim's decision. Every two seconds the worker also looks by itself, so it works on while the queue is away.
 */
export class GenerationWorker implements HoldListener {
  /** Whether this worker looks for work at all of its lanes. */
  readonly pulse: Pulse;
  private readonly name = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  private readonly slots = new Map<Lane, PQueue>();
  private readonly holds = new Map<string, LeaseHold>();
  private readonly claims = new PQueue({ concurrency: 1 });
  private readonly timers: NodeJS.Timeout[] = [];
  private consumers: WakeQueueConsumer[] = [];
  private unsubscribe = () => {};
  private stopping = false;
  private aloneWanted = false;

  constructor(
    private readonly parts: WorkerParts,
    private readonly options: WorkerOptions,
  ) {
    this.pulse = new Pulse(options.lanes);
    for (const lane of options.lanes) this.slots.set(lane, new PQueue({ concurrency: options.concurrency }));
  }

  start(): void {
    const { queue, bus } = this.parts;
    const { lanes, concurrency } = this.options;
    this.unsubscribe = bus.subscribe((message) => this.hear(message));
    this.consumers = lanes.map((lane) =>
      queue.consume(lane, concurrency, async () => void (await this.take(lane))),
    );
    this.timers.push(
      setInterval(() => void this.renewAll(), RENEW_MS),
      setInterval(() => void this.look(), LOOK_MS),
    );
    void this.look();
  }

  /** Takes nothing new, lets running steps end for the grace time, hands the rest back. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.pulse.rest();
    this.unsubscribe();
    await Promise.all(this.consumers.map((consumer) => consumer.pause()));
    for (const hold of this.holds.values()) hold.drain();
    const grace = setTimeout(() => {
      for (const hold of this.holds.values()) hold.handBack();
    }, this.options.graceMs);
    await Promise.all([...this.slots.values()].map((slots) => slots.onIdle()));
    clearTimeout(grace);
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.consumers.map((consumer) => consumer.close()));
  }

  onProgress(state: GenerationState, { stepId, fraction, message }: StepProgress): void {
    const { bus } = this.parts;
    void bus.publish({
      kind: 'progress',
      userId: state.userId,
      collectionId: state.collectionId,
      event: {
        type: 'node_progress', job_id: state.jobId, at: new Date().toISOString(), generation_id: state.generationId,
        generation_index: state.index, hash: state.hash, step_id: stepId, progress: Math.round(fraction * 100),
        ...(message && { message }),
      },
    });
  }

  onUnexpected(error: unknown, generationId: string, stepId: string): void {
    this.parts.log.error({ err: error, generation_id: generationId, step_id: stepId }, 'step failed unexpectedly');
  }

  /** Runs the lane's next generation when a slot is free. False: there was none. */
  private async take(lane: Lane): Promise<boolean> {
    const ran = await this.slots.get(lane)?.add(() => this.runNext(lane));
    return ran === true;
  }

  private async runNext(lane: Lane): Promise<boolean> {
    const taken = await this.claims.add(() => this.claim(lane));
    if (!taken) return false;
    const { hold, state } = taken;
    try {
      await this.run(hold, state);
    } catch (error) {
      await this.breakOff(hold, error);
    } finally {
      this.holds.delete(hold.lease.generationId);
    }
    return true;
  }

  /** What nobody foresaw must neither be tried for ever nor keep credits held. */
  private async breakOff({ lease }: LeaseHold, error: unknown): Promise<void> {
    const { log, store } = this.parts;
    log.error({ err: error, generation_id: lease.generationId }, 'generation run broke off');
    await store.breakOff(lease).catch((failure: unknown) => {
      log.error({ err: failure, generation_id: lease.generationId }, 'broken run could not be recorded');
    });
  }

  private async claim(lane: Lane): Promise<{ hold: LeaseHold; state: GenerationState } | undefined> {
    if (this.stopping || this.isKeptAlone) return undefined;
    const claim = await this.ask(lane);
    if (!claim) return undefined;
    const { lease, state } = claim;
    if (lease.alone) this.aloneWanted = false;
    const hold = new LeaseHold(lease, this);
    hold.wakeSeq = state.wakeSeq;
    this.holds.set(lease.generationId, hold);
    return { hold, state };
  }

  private async ask(lane: Lane): Promise<Claim | undefined> {
    let answered = false;
    try {
      const claim = await this.parts.store.claim({ lane, worker: this.name, idle: this.holds.size === 0 });
      answered = true;
      return claim;
    } finally {
      this.pulse.beat(lane, answered);
    }
  }

  /** Nothing more is taken: what runs must run alone, or waits for the others to end. */
  private get isKeptAlone(): boolean {
    return this.holds.size > 0 && (this.aloneWanted || [...this.holds.values()].some(({ lease }) => lease.alone));
  }

  private async run(hold: LeaseHold, state: GenerationState): Promise<void> {
    const { store, steps, log } = this.parts;
    const { lease } = hold;
    const run = new GenerationRun(store, steps, lease, state, hold);
    const end = await inSpan(() => runSpan(lease, state), () => run.run());
    log.debug({ generation_id: lease.generationId, lease: lease.number, end }, 'generation left');
  }

  /** Loops over a lane until it is empty: one chain more per look, up to the lane's slots. */
  private async look(): Promise<void> {
    if (this.stopping) return;
    this.aloneWanted = await aloneWaits(this.parts.database, this.options.lanes).catch(() => false);
    for (const [lane, slots] of this.slots) {
      if (slots.pending < slots.concurrency) void this.drain(lane);
    }
  }

  private async drain(lane: Lane): Promise<void> {
    try {
      while (!this.stopping && (await this.take(lane)));
    } catch (error) {
      this.parts.log.warn({ err: error, lane }, 'lane could not be looked at');
    }
  }

  private async renewAll(): Promise<void> {
    const holds = [...this.holds.values()];
    if (holds.length === 0) return;
    try {
      const held = await renew(this.parts.database, holds.map(({ lease }) => lease));
      const seqs = new Map(held.map(({ generationId, wakeSeq }) => [generationId, wakeSeq]));
      for (const hold of holds) {
        const wakeSeq = seqs.get(hold.lease.generationId);
        if (wakeSeq === undefined) hold.lose();
        else hold.renewed(wakeSeq);
      }
      this.beatForBusyLanes(holds);
    } catch (error) {
      this.parts.log.warn({ err: error }, 'leases could not be renewed');
      const oldest = Date.now() - LEASE_SECONDS * 1_000;
      for (const hold of holds) if (hold.renewedAt < oldest) hold.lose();
    }
  }

  /** A lane without a free slot is not looked at: that what it runs is still this worker's tells as much. */
  private beatForBusyLanes(holds: LeaseHold[]): void {
    for (const lane of this.options.lanes) {
      const running = holds.filter(({ lease }) => lease.lane === lane).length;
      if (running >= this.options.concurrency || this.isKeptAlone) this.pulse.beat(lane, true);
    }
  }

  private hear(message: BusMessage): void {
    if (message.kind !== 'cancel') return;
    for (const id of message.generationIds) this.holds.get(id)?.lose();
  }
}
