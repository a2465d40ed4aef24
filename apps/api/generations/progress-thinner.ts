import type { NodeProgress } from '#libs/events/job-event.js';

const INTERVAL_MS = 200;
const STEPS_REMEMBERED = 1_000;

/** Lets five `node_progress` a second of each step pass to one client. */
export class ProgressThinner {
  private readonly passedAt = new Map<string, number>();

  passes({ generation_id, step_id }: NodeProgress, now = Date.now()): boolean {
    const step = `${generation_id}:${step_id}`;
    if (now - (this.passedAt.get(step) ?? 0) < INTERVAL_MS) return false;
    if (this.passedAt.size >= STEPS_REMEMBERED) this.passedAt.clear();
    this.passedAt.set(step, now);
    return true;
  }
}
