import type { Logger } from 'pino';
import type { BackingReadiness } from '#libs/backing-services/readiness.js';
import { serviceUnavailable } from '#libs/errors/errors.js';
import type { Pulse } from './pulse.js';

/** A worker looks for work every two seconds. One that has not for so long does not work. */
const STILL_FOR_AT_MOST_MS = 60_000;
/** Looks that the database does not answer: it is away for the claims, whatever a ping says. */
const UNSERVED_FOR_AT_MOST_MS = 15_000;

/** What a worker answers to the probes of whoever runs it. */
export class WorkerHealth {
  constructor(
    private readonly pulse: Pulse,
    private readonly backing: BackingReadiness,
    private readonly log: Logger,
  ) {}

  /**
   * It took a generation or looked for one lately, at each of its lanes. When not, only a restart helps.
   * A database that is away is no reason: a new process would not find it either. Throws
   * `SERVICE_UNAVAILABLE`.
   */
  live(): { status: 'ok' } {
    const { stillForMs } = this.pulse;
    if (stillForMs <= STILL_FOR_AT_MOST_MS) return { status: 'ok' };
    this.log.error({ still_for_ms: Math.round(stillForMs) }, 'does not look for work');
    throw serviceUnavailable();
  }

  /** Work can be done, and is looked for: not while the worker stops. Throws `SERVICE_UNAVAILABLE`, within 3 s. */
  async ready(): Promise<{ status: 'ready'; degraded: string[] }> {
    try {
      const { unservedForMs, isResting } = this.pulse;
      if (isResting) throw new Error('The worker is stopping');
      if (unservedForMs > UNSERVED_FOR_AT_MOST_MS) {
        throw new Error(`No look for work was answered for ${Math.round(unservedForMs)} ms`);
      }
      await this.backing.check();
    } catch (error) {
      this.log.warn({ err: error }, 'not ready');
      throw serviceUnavailable();
    }
    return { status: 'ready', degraded: this.backing.degraded };
  }
}
