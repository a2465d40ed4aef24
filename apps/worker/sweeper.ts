import type { Logger } from 'pino';
import { traced } from '#libs/tracepoints/tracepoints.js';

/** One thing that is looked after again and again. */
export interface Sweep {
  name: string;
  everyMs: number;
  /** Idempotent, bounded, and safe beside the same sweep in another process. One that takes long ends with `stop`. */
  run(stop: AbortSignal): Promise<unknown>;
  /** Lets go of what it holds, after its last run. */
  close?(): Promise<unknown>;
}

/** Runs each sweep at its interval, never twice at once; a failure is logged and tried again next time. */
export class Sweeper {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly sweeps: Sweep[],
    private readonly log: Logger,
  ) {}

  start(): void {
    for (const sweep of this.sweeps) this.schedule(sweep);
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.stopping.abort();
    await Promise.all(this.running);
    for (const sweep of this.sweeps) await sweep.close?.();
  }

  private schedule(sweep: Sweep): void {
    let busy = false;
    const tick = () => {
      if (busy) return;
      busy = true;
      const run = this.runOnce(sweep).finally(() => {
        busy = false;
        this.running.delete(run);
      });
      this.running.add(run);
    };
    // At once: what a worker left that died is found by the one that follows it.
    tick();
    this.timers.push(setInterval(tick, sweep.everyMs));
  }

  private async runOnce({ name, run }: Sweep): Promise<void> {
    try {
      await traced('sweep', () => run(this.stopping.signal));
    } catch (error) {
      this.log.warn({ err: error, sweep: name }, 'sweep failed');
    }
  }
}
