import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { GenerationState, WaitingAttempt } from './generation-store.js';

/** An attempt that waits for the outside. `at`: its next poll; `deadline`: when it fails. Milliseconds of `Date.now`. */
export interface WaitingStep extends WaitingAttempt {
  at: number;
  deadline: number;
}

/**
 * Which steps of one generation can go on: those whose inputs are there, those to be tried again, those whose
 * poll is due. A step is in one place at a time; taking it out is starting it. Costs do not grow with the
 * number of steps, so a long chain takes no longer per step than a short one.
 */
export class StepSchedule {
  private readonly steps: Map<string, Step>;
  private readonly dependents = new Map<string, string[]>();
  /** How many inputs each step still waits for. */
  private readonly missing = new Map<string, number>();
  private readonly ready = new Set<string>();
  private readonly retries = new Map<string, number>();
  private readonly waiting = new Map<string, WaitingStep>();

  constructor(
    { instructionSet, finished, waiting, records }: GenerationState,
    dependencies: ReadonlyMap<string, readonly string[]>,
  ) {
    this.steps = new Map(instructionSet.steps.map((step) => [String(step.id), step]));
    for (const attempt of waiting) this.wait(attempt, 0, attempt.timeoutInMs);
    for (const id of this.steps.keys()) {
      if (finished.has(id)) continue;
      const needed = (dependencies.get(id) ?? []).filter((other) => !finished.has(other));
      this.missing.set(id, needed.length);
      for (const other of needed) this.dependents.set(other, [...(this.dependents.get(other) ?? []), id]);
      if (needed.length > 0 || this.waiting.has(id)) continue;
      const retryInMs = records.get(id)?.retryInMs ?? null;
      if (retryInMs === null) this.ready.add(id);
      else this.retry(id, retryInMs);
    }
  }

  step(id: string): Step {
    return this.steps.get(id) as Step;
  }

  /** Its output is there: what waited for nothing else is ready. */
  finish(id: string): void {
    for (const dependent of this.dependents.get(id) ?? []) {
      const missing = (this.missing.get(dependent) ?? 1) - 1;
      this.missing.set(dependent, missing);
      if (missing === 0) this.ready.add(dependent);
    }
  }

  retry(id: string, inMs: number): void {
    this.retries.set(id, Date.now() + inMs);
  }

  /** `null`: it is not polled, or has no deadline. */
  wait(attempt: WaitingAttempt, dueInMs: number | null, timeoutInMs: number | null): void {
    const now = Date.now();
    this.waiting.set(attempt.stepId, {
      ...attempt,
      at: dueInMs === null ? Infinity : now + dueInMs,
      deadline: timeoutInMs === null ? Infinity : now + timeoutInMs,
    });
  }

  /** A wake-up came: everything that waits is asked after at once. */
  wake(): void {
    for (const waiting of this.waiting.values()) waiting.at = 0;
  }

  /** Whether something could be taken now. */
  hasWork(): boolean {
    return this.ready.size > 0 || (this.dueInMs() ?? 1) === 0;
  }

  /** Takes up to `limit` waiting steps whose poll or deadline has come. */
  takeDue(limit: number): WaitingStep[] {
    const now = Date.now();
    const due = [...this.waiting.values()].filter(({ at, deadline }) => Math.min(at, deadline) <= now);
    const taken = due.slice(0, Math.max(0, limit));
    for (const { stepId } of taken) this.waiting.delete(stepId);
    return taken;
  }

  /** Takes up to `limit` steps that can start. */
  takeReady(limit: number): Step[] {
    const now = Date.now();
    for (const [id, at] of this.retries) {
      if (at > now) continue;
      this.retries.delete(id);
      this.ready.add(id);
    }
    const taken = [];
    for (const id of this.ready) {
      if (taken.length >= limit) break;
      taken.push(id);
    }
    for (const id of taken) this.ready.delete(id);
    return taken.map((id) => this.step(id));
  }

  /** Milliseconds until the next poll, deadline or retry; null: there is none. */
  dueInMs(): number | null {
    let next = Infinity;
    for (const { at, deadline } of this.waiting.values()) next = Math.min(next, at, deadline);
    for (const at of this.retries.values()) next = Math.min(next, at);
    return Number.isFinite(next) ? Math.max(0, next - Date.now()) : null;
  }
}
