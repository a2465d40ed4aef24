import { LeaseLost, type GenerationState, type Lease } from '#libs/engine/generation-store.js';
import { HandBack, type RunControl } from '#libs/engine/generation-run.js';
import type { StepProgress } from '#libs/engine/step-context.js';

/** `node_progress` messages of one step: 5 a second at most. */
const PROGRESS_INTERVAL_MS = 200;

export interface HoldListener {
  onProgress(state: GenerationState, progress: StepProgress): void;
  onUnexpected(error: unknown, generationId: string, stepId: string): void;
}

/** A lease in this worker's hands: what renewal, cancel and shutdown tell the run that works under it. */
export class LeaseHold implements RunControl {
  private readonly controller = new AbortController();
  private readonly reportedAt = new Map<string, number>();
  private notify = () => {};
  private change = new Promise<void>((resolve) => (this.notify = resolve));
  renewedAt = Date.now();
  wakeSeq = 0;
  draining = false;

  constructor(
    readonly lease: Lease,
    private readonly listener: HoldListener,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  changed(): Promise<void> {
    return this.change;
  }

  renewed(wakeSeq: number): void {
    this.renewedAt = Date.now();
    if (wakeSeq <= this.wakeSeq) return;
    this.wakeSeq = wakeSeq;
    this.signalChange();
  }

  drain(): void {
    this.draining = true;
    this.signalChange();
  }

  lose(): void {
    this.controller.abort(new LeaseLost());
  }

  handBack(): void {
    this.controller.abort(new HandBack());
  }

  onProgress(state: GenerationState, progress: StepProgress): void {
    const now = Date.now();
    if (now - (this.reportedAt.get(progress.stepId) ?? 0) < PROGRESS_INTERVAL_MS) return;
    this.reportedAt.set(progress.stepId, now);
    this.listener.onProgress(state, progress);
  }

  onUnexpected(error: unknown, attempt: { stepId: string }): void {
    this.listener.onUnexpected(error, this.lease.generationId, attempt.stepId);
  }

  private signalChange(): void {
    this.notify();
    this.change = new Promise((resolve) => (this.notify = resolve));
  }
}
