import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { GenerationState, StepStart } from './generation-store.js';
import type { OutputBudget } from './output-budget.js';
import type { PreparedStep, StepRunner } from './step-runner.js';
import type { StepSchedule } from './step-schedule.js';

/** Steps are worked out for so long, and so many of them, before they are written. */
const WORK_OUT_MS = 50;
const WORKED_OUT_AT_MOST = 100;

/** A step that is about to start. With `start.result` it is done already. */
export interface Plan {
  step: Step;
  prepared: PreparedStep | Error;
  start: StepStart;
}

/**
 * Plans the steps whose inputs are there. Those that work out their value at once are done right away: as
 * nobody else can know of them, their starts are written with their ends, and a chain of them costs one
 * write instead of one each.
 */
export class StepPlanner {
  constructor(
    private readonly steps: StepRunner,
    private readonly state: GenerationState,
    private readonly schedule: StepSchedule,
    private readonly outputs: OutputBudget,
    /** Nobody has held the generation before. */
    private readonly isFirst: boolean,
  ) {}

  /** Takes what is ready: up to `slots` steps that are to run, and others that are done. Throws `signal`'s reason. */
  async takeReady(slots: number, signal: AbortSignal): Promise<Plan[]> {
    const until = Date.now() + WORK_OUT_MS;
    const plans: Plan[] = [];
    let free = slots;
    signal.throwIfAborted();
    do {
      const ready = this.schedule.takeReady(free);
      if (ready.length === 0) break;
      const planned = await Promise.all(ready.map((step) => this.plan(step, signal)));
      plans.push(...planned);
      free -= planned.filter(({ start }) => !start.result).length;
      // What is done counts as finished: it is handed over to be written, whatever `signal` says by now.
    } while (plans.length < WORKED_OUT_AT_MOST && Date.now() < until && !signal.aborted);
    return plans;
  }

  prepare(step: Step): Promise<PreparedStep | Error> {
    return this.steps.prepare(this.state, step).catch((error: Error) => error);
  }

  private async plan(step: Step, signal: AbortSignal): Promise<Plan> {
    const prepared = await this.prepare(step);
    const stepId = String(step.id);
    const start: StepStart = {
      stepId,
      node: step.nodeName,
      alias: step.alias ?? null,
      attempt: (this.state.records.get(stepId)?.attempts ?? 0) + 1,
      inputDigest: prepared instanceof Error ? null : prepared.digest,
    };
    const result = await this.workOut(stepId, prepared, signal);
    return { step, prepared, start: result ? { ...start, result } : start };
  }

  /**
   * Null: the step begins as any other. So does one that fails here, for its failure to be told, and all of a
   * generation that another worker held: it may have died of a step, and then that step's start must be found.
   */
  private async workOut(
    stepId: string,
    prepared: PreparedStep | Error,
    signal: AbortSignal,
  ): Promise<StepStart['result'] | null> {
    const { state } = this;
    if (!this.isFirst || prepared instanceof Error || !prepared.node.immediate?.(prepared.payload)) return null;
    const logs: string[] = [];
    const attempt = { stepId, token: '' };
    const call = { state, prepared, attempt, lostTokens: [], signal, logs, onProgress: () => undefined };
    try {
      const outcome = await this.steps.run(call);
      if (outcome.kind !== 'done' || outcome.result.files.length > 0) return null;
      const { value, traits } = outcome.result;
      this.outputs.take(value);
      const output = { assets: [], value, traits };
      state.finished.set(stepId, output);
      this.schedule.finish(stepId);
      return { output, logs };
    } catch {
      return null;
    }
  }
}
