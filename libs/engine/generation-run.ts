import type { Json, Step } from '#libs/instruction-set/instruction-set.js';
import { NodeError } from '#libs/nodes/node.js';
import {
  LeaseLost, type Attempt, type GenerationState, type GenerationStore, type Lease, type StepRecord, type WaitingAttempt,
} from './generation-store.js';
import { judge } from './retry.js';
import type { StepProgress } from './step-context.js';
import type { PreparedStep, StepRunner } from './step-runner.js';

/** Values, as JSON, that the steps of one generation may give together. */
const MAX_OUTPUT_BYTES = 32 * 1024 ** 2;
/** Steps of one generation that run at the same time. */
const STEP_CONCURRENCY = 4;

/** What the worker tells a run while it goes on. */
export interface RunControl {
  /** Aborts when the lease is lost or the generation cancelled (`LeaseLost`), or the grace is over (`HandBack`). */
  readonly signal: AbortSignal;
  /** Start no further step; hand back when the running ones have ended. */
  readonly draining: boolean;
  /** Resolves at the next wake-up or when draining begins. */
  changed(): Promise<void>;
  /** The newest wake-up the lease's renewal brought. */
  readonly wakeSeq: number;
  onProgress(state: GenerationState, progress: StepProgress): void;
  /** An error that is not a node's own: for the worker's log. */
  onUnexpected(error: unknown, attempt: Attempt): void;
}

/** Reason of an abort at shutdown: what runs is given to another worker. */
export class HandBack extends Error {}

export type RunEnd = 'ended' | 'parked' | 'handed_back' | 'lost';

const sizeOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

interface Due {
  at: number;
}

/**
 * One worker's hold of one generation: starts every step whose inputs are there, checkpoints each, parks
 * when all that is left waits, and ends when the last step has. Plans from the last checkpoint, so it
 * does not matter who held the generation before.
 */
export class GenerationRun {
  private readonly dependencies: Map<string, string[]>;
  private readonly running = new Map<string, Promise<void>>();
  private readonly waiting = new Map<string, WaitingAttempt & Due & { deadline: number }>();
  private readonly retries = new Map<string, Due>();
  private readonly records: Map<string, StepRecord>;
  private readonly abort = new AbortController();
  private readonly signal: AbortSignal;
  private wakeSeq: number;
  private outputBytes: number;
  private failed = false;
  private fault: unknown;

  constructor(
    private readonly store: GenerationStore,
    private readonly steps: StepRunner,
    private readonly lease: Lease,
    private readonly state: GenerationState,
    private readonly control: RunControl,
  ) {
    this.dependencies = steps.dependenciesOf(state.instructionSet.steps);
    this.records = state.records;
    this.wakeSeq = state.wakeSeq;
    this.outputBytes = [...state.finished.values()].reduce((sum, { value }) => sum + sizeOf(value), 0);
    this.signal = AbortSignal.any([control.signal, this.abort.signal]);
    for (const attempt of state.waiting) this.keepWaiting(attempt, 0, attempt.timeoutInMs);
    for (const [stepId, { retryInMs }] of state.records) {
      if (retryInMs !== null) this.retries.set(stepId, { at: Date.now() + retryInMs });
    }
  }

  async run(): Promise<RunEnd> {
    try {
      return await this.advance();
    } catch (error) {
      await this.stopSteps();
      if (error instanceof LeaseLost) return 'lost';
      if (error instanceof HandBack) return await this.handBack();
      throw error;
    } finally {
      await this.stopSteps();
    }
  }

  private async stopSteps(): Promise<void> {
    if (this.running.size > 0) this.abort.abort(new LeaseLost());
    await Promise.allSettled(this.running.values());
  }

  private async advance(): Promise<RunEnd> {
    for (;;) {
      this.signal.throwIfAborted();
      if (this.fault) throw this.fault;
      if (this.failed) return 'ended';
      this.noticeWakeUps();
      if (!this.control.draining) await this.startWhatIsReady();
      if (this.running.size === 0) {
        const end = await this.rest();
        if (end) return end;
      } else {
        await this.nextChange();
      }
    }
  }

  /** Nothing runs: the generation has ended, is handed back, or parks until something is due. */
  private async rest(): Promise<RunEnd | null> {
    if (this.state.finished.size === this.state.instructionSet.steps.length) return 'ended';
    if (this.control.draining) return this.handBack();
    const parked = await this.store.park(this.lease, this.wakeSeq, this.dueInMs());
    if (parked === 'parked') return 'parked';
    this.wake(parked);
    return null;
  }

  private async handBack(): Promise<RunEnd> {
    try {
      await this.store.handBack(this.lease);
      return 'handed_back';
    } catch (error) {
      if (error instanceof LeaseLost) return 'lost';
      throw error;
    }
  }

  private noticeWakeUps(): void {
    if (this.control.wakeSeq > this.wakeSeq) this.wake(this.control.wakeSeq);
  }

  private wake(wakeSeq: number): void {
    this.wakeSeq = wakeSeq;
    for (const waiting of this.waiting.values()) waiting.at = 0;
  }

  private async startWhatIsReady(): Promise<void> {
    const free = (this.lease.alone ? 1 : STEP_CONCURRENCY) - this.running.size;
    const now = Date.now();
    const due = [...this.waiting.values()].filter(({ at, deadline }) => at <= now || deadline <= now);
    for (const waiting of due.slice(0, Math.max(0, free))) this.poll(waiting);
    const ready = this.readySteps(now).slice(0, Math.max(0, free - due.length));
    if (ready.length > 0) await this.start(ready);
  }

  private readySteps(now: number): Step[] {
    return this.state.instructionSet.steps.filter((step) => {
      const id = String(step.id);
      if (this.state.finished.has(id) || this.running.has(id) || this.waiting.has(id)) return false;
      if ((this.retries.get(id)?.at ?? 0) > now) return false;
      return (this.dependencies.get(id) ?? []).every((needed) => this.state.finished.has(needed));
    });
  }

  private async start(ready: Step[]): Promise<void> {
    const plans = await Promise.all(ready.map(async (step) => ({ step, prepared: await this.prepare(step) })));
    const attempts = await this.store.startSteps(
      this.lease,
      plans.map(({ step, prepared }) => ({
        stepId: String(step.id),
        node: step.nodeName,
        alias: step.alias ?? null,
        inputDigest: prepared instanceof Error ? null : prepared.digest,
      })),
    );
    for (const { step, prepared } of plans) {
      const attempt = attempts.find(({ stepId }) => stepId === String(step.id));
      if (attempt) this.track(attempt, (logs) => this.execute(attempt, prepared, logs));
    }
  }

  private prepare(step: Step): Promise<PreparedStep | Error> {
    return this.steps.prepare(this.state, step).catch((error: Error) => error);
  }

  private poll(waiting: WaitingAttempt & { deadline: number }): void {
    this.waiting.delete(waiting.stepId);
    const step = this.state.instructionSet.steps.find(({ id }) => String(id) === waiting.stepId) as Step;
    this.track(waiting, async (logs) => {
      if (waiting.deadline <= Date.now()) {
        throw new NodeError('STEP_TIMEOUT', 'The outside did not answer in time', true);
      }
      await this.execute(waiting, await this.prepare(step), logs, waiting);
    });
  }

  private async execute(
    attempt: Attempt,
    prepared: PreparedStep | Error,
    logs: string[],
    waiting?: WaitingAttempt,
  ): Promise<void> {
    if (prepared instanceof Error) throw prepared;
    const outcome = await this.steps.run({
      state: this.state,
      prepared,
      attempt,
      ...(waiting && { waiting }),
      lostToken: this.records.get(attempt.stepId)?.lostToken ?? null,
      signal: this.signal,
      logs,
      onProgress: (progress) => this.control.onProgress(this.state, progress),
    });
    if (outcome.kind === 'done') {
      this.weigh(outcome.result.value);
      this.state.finished.set(attempt.stepId, await this.store.completeStep(this.lease, attempt, outcome.result));
    } else {
      await this.store.waitStep(this.lease, attempt, outcome);
      const timeoutInMs = waiting ? waiting.timeoutInMs : outcome.timeoutMs;
      const held = { ...attempt, reference: outcome.reference, timeoutInMs, dueInMs: outcome.pollAfterMs };
      this.keepWaiting(held, outcome.pollAfterMs, timeoutInMs);
    }
  }

  /** Outputs are kept in memory while their generation runs: together they have a limit. */
  private weigh(value: Json): void {
    this.outputBytes += sizeOf(value);
    if (this.outputBytes <= MAX_OUTPUT_BYTES) return;
    throw new NodeError('OUTPUT_TOO_LARGE', 'The steps of one generation may give 32 MiB of values together', true);
  }

  /** Runs one attempt beside the others. What it throws is its verdict; what recording that throws ends the run. */
  private track(attempt: Attempt, work: (logs: string[]) => Promise<void>): void {
    const logs: string[] = [];
    const settled = work(logs)
      .catch((error: unknown) => this.fail(attempt, error, logs))
      .catch((error: unknown) => {
        this.fault ??= error;
      })
      .finally(() => this.running.delete(attempt.stepId));
    this.running.set(attempt.stepId, settled);
  }

  private async fail(attempt: Attempt, error: unknown, logs: string[]): Promise<void> {
    if (error instanceof LeaseLost || this.signal.aborted) throw error;
    if (!(error instanceof NodeError)) this.control.onUnexpected(error, attempt);
    const record = this.records.get(attempt.stepId);
    const { failure, retryInMs } = judge(error, record?.failures ?? 0);
    await this.store.failStep(this.lease, attempt, { ...failure, logs }, retryInMs);
    if (retryInMs === null) this.failed = true;
    else this.retries.set(attempt.stepId, { at: Date.now() + retryInMs });
    this.records.set(attempt.stepId, {
      attempts: attempt.number, failures: (record?.failures ?? 0) + 1, retryInMs, lostToken: null,
    });
  }

  private keepWaiting(attempt: WaitingAttempt, dueInMs: number | null, timeoutInMs: number | null): void {
    const now = Date.now();
    this.waiting.set(attempt.stepId, {
      ...attempt,
      at: dueInMs === null ? Infinity : now + dueInMs,
      deadline: timeoutInMs === null ? Infinity : now + timeoutInMs,
    });
  }

  private dueInMs(): number | null {
    const times = [
      ...[...this.waiting.values()].map(({ at, deadline }) => Math.min(at, deadline)),
      ...[...this.retries].filter(([id]) => !this.state.finished.has(id)).map(([, { at }]) => at),
    ].filter(Number.isFinite);
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - Date.now());
  }

  /** A step settles, something is due, a wake-up comes, or the run is aborted. */
  private async nextChange(): Promise<void> {
    if (this.control.wakeSeq > this.wakeSeq) return;
    const due = this.dueInMs();
    let timer: NodeJS.Timeout | undefined;
    let stop = () => {};
    await Promise.race([
      ...this.running.values(),
      this.control.changed(),
      new Promise<void>((resolve) => {
        // Without a free slot for what is due, looking again at once would spin.
        if (due !== null) timer = setTimeout(resolve, Math.max(due, 50));
        stop = resolve;
        this.signal.addEventListener('abort', stop, { once: true });
      }),
    ]);
    clearTimeout(timer);
    this.signal.removeEventListener('abort', stop);
  }
}
