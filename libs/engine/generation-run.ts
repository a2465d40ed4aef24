import type { Step } from '#libs/instruction-set/instruction-set.js';
import { NodeError, STORAGE_FAILED } from '#libs/nodes/node.js';
import {
  LeaseLost, type Attempt, type FinishedStep, type GenerationStore, type GenerationState, type Lease, type StepRecord,
  type StepResult, type WaitingAttempt,
} from './generation-store.js';
import { OutputBudget } from './output-budget.js';
import { judge } from './retry.js';
import type { StepProgress } from './step-context.js';
import { StepPlanner, type Plan } from './step-planner.js';
import type { PreparedStep, StepRunner } from './step-runner.js';
import { StepSchedule, type WaitingStep } from './step-schedule.js';

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

/**
 * One worker's hold of one generation: starts every step whose inputs are there, commits what they gave
 * together with the starts that follow from it, parks when all that is left waits, and ends when the last
 * step has. Plans from the last checkpoint, so it does not matter who held the generation before.
 */
export class GenerationRun {
  private readonly schedule: StepSchedule;
  private readonly outputs: OutputBudget;
  private readonly planner: StepPlanner;
  private readonly running = new Map<string, Promise<void>>();
  /** Steps that have given their output since the last checkpoint. */
  private readonly finished: FinishedStep[] = [];
  private readonly records: Map<string, StepRecord>;
  private readonly abort = new AbortController();
  private readonly signal: AbortSignal;
  private wakeSeq: number;
  private begun = false;
  private failed = false;
  private fault: unknown;

  constructor(
    private readonly store: GenerationStore,
    private readonly steps: StepRunner,
    private readonly lease: Lease,
    private readonly state: GenerationState,
    private readonly control: RunControl,
  ) {
    this.schedule = new StepSchedule(state, steps.dependenciesOf(state.instructionSet.steps));
    this.outputs = new OutputBudget(state.finished.values());
    this.planner = new StepPlanner(steps, state, this.schedule, this.outputs, lease.number === 1);
    this.records = state.records;
    this.wakeSeq = state.wakeSeq;
    this.signal = AbortSignal.any([control.signal, this.abort.signal]);
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
      if (await this.commit()) return 'ended';
      if (this.running.size === 0) {
        const end = await this.rest();
        if (end) return end;
      } else {
        await this.nextChange();
      }
    }
  }

  /** Nothing runs: the generation is handed back, or parks until something is due. */
  private async rest(): Promise<RunEnd | null> {
    if (this.hasWork()) return null;
    if (this.control.draining) return this.handBack();
    const parked = await this.store.park(this.lease, this.wakeSeq, this.schedule.dueInMs());
    if (parked === 'parked') return 'parked';
    this.wake(parked);
    return null;
  }

  /** What steps gave already is kept, also when the grace is over. */
  private async handBack(): Promise<RunEnd> {
    try {
      if (this.finished.length > 0 && (await this.commit({ starting: false }))) return 'ended';
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
    this.schedule.wake();
  }

  /** Writes what is finished and starts what is ready, in one go. True: that was the last of it. */
  private async commit({ starting = !this.control.draining } = {}): Promise<boolean> {
    const plans = starting ? await this.planWhatIsReady() : [];
    const finished = this.finished.splice(0);
    const starts = plans.map(({ start }) => start);
    if (this.begun && this.isComplete) {
      await this.store.finish(this.lease, this.state, finished, starts);
      return true;
    }
    if (!this.begun) this.track(plans, await this.store.begin(this.lease, this.state, starts));
    else if (finished.length + starts.length > 0) {
      this.track(plans, await this.store.checkpoint(this.lease, this.state, finished, starts));
    }
    this.begun = true;
    return false;
  }

  private async planWhatIsReady(): Promise<Plan[]> {
    // Before it has begun, nothing may be asked of the outside.
    if (this.begun) for (const waiting of this.schedule.takeDue(this.freeSlots())) this.poll(waiting);
    return this.planner.takeReady(this.freeSlots(), this.signal);
  }

  private track(plans: Plan[], attempts: Attempt[]): void {
    for (const { step, prepared, start } of plans) {
      if (start.result) continue;
      const attempt = attempts.find(({ stepId }) => stepId === String(step.id));
      if (attempt) this.runBeside(attempt, (logs) => this.execute(step, attempt, prepared, logs));
    }
  }

  /** Whether another commit has something to write or to start. */
  private hasWork(): boolean {
    if (this.finished.length > 0 || this.isComplete) return true;
    return !this.control.draining && this.freeSlots() > 0 && this.schedule.hasWork();
  }

  private get isComplete(): boolean {
    return this.state.finished.size === this.state.instructionSet.steps.length;
  }

  private freeSlots(): number {
    return (this.lease.alone ? 1 : STEP_CONCURRENCY) - this.running.size;
  }

  private poll(waiting: WaitingStep): void {
    const step = this.schedule.step(waiting.stepId);
    this.runBeside(waiting, async (logs) => {
      if (waiting.deadline <= Date.now()) {
        throw new NodeError('STEP_TIMEOUT', 'The outside did not answer in time', true);
      }
      await this.execute(step, waiting, await this.planner.prepare(step), logs, waiting);
    });
  }

  private async execute(
    step: Step,
    attempt: Attempt,
    prepared: PreparedStep | Error,
    logs: string[],
    waiting?: WaitingAttempt,
  ): Promise<void> {
    if (prepared instanceof Error) throw prepared;
    const wokenBefore = this.wakeSeq;
    const outcome = await this.steps.run({
      state: this.state,
      prepared,
      attempt,
      ...(waiting && { waiting }),
      lostTokens: this.records.get(attempt.stepId)?.lostTokens ?? [],
      signal: this.signal,
      logs,
      onProgress: (progress) => this.control.onProgress(this.state, progress),
    });
    if (outcome.kind === 'done') return this.keep(step, attempt, outcome.result);
    await this.store.waitStep(this.lease, attempt, outcome);
    // A wake-up that came while its node ran may have been for it.
    const dueInMs = this.wakeSeq > wokenBefore ? 0 : outcome.pollAfterMs;
    const timeoutInMs = waiting ? waiting.timeoutInMs : outcome.timeoutMs;
    this.schedule.wait({ ...attempt, reference: outcome.reference, timeoutInMs, dueInMs }, dueInMs, timeoutInMs);
  }

  /** The output is there for the next steps at once; the next commit writes it before they start. */
  private async keep(step: Step, attempt: Attempt, { files, logs, ...given }: StepResult): Promise<void> {
    this.outputs.take(given.value);
    const assets =
      files.length === 0 ? [] : await this.store.keepFiles(this.lease, this.state, attempt.stepId, files);
    const output = { assets, ...given };
    this.state.finished.set(attempt.stepId, output);
    this.schedule.finish(attempt.stepId);
    this.finished.push({ attempt, node: step.nodeName, alias: step.alias ?? null, output, logs });
  }

  /** Runs one attempt beside the others. What it throws is its verdict; what recording that throws ends the run. */
  private runBeside(attempt: Attempt, work: (logs: string[]) => Promise<void>): void {
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
    else this.schedule.retry(attempt.stepId, retryInMs);
    this.records.set(attempt.stepId, {
      attempts: attempt.number, failures: (record?.failures ?? 0) + 1, retryInMs,
      lostTokens: failure.code === STORAGE_FAILED ? [...(record?.lostTokens ?? []), attempt.token] : [],
    });
  }

  /** A step settles, something is due, a wake-up comes, or the run is aborted. */
  private async nextChange(): Promise<void> {
    if (this.control.wakeSeq > this.wakeSeq || this.hasWork()) return;
    const due = this.schedule.dueInMs();
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
