import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { Variables } from '../../e2e/processes.js';

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'crash-point.mjs')).href;

/** Arms processes to die at named points, and counts which of them did. */
export class CrashPoints {
  private readonly armed = new Set<Tracepoint>();
  private readonly hitsIn: string;

  constructor(folder: string) {
    this.hitsIn = join(folder, 'crash-points.log');
  }

  /**
   * What a process must be started with to die when it comes to `point` for the `nth` time. `jobsIn` names
   * a file of job ids, one a line: only those count then.
   */
  arm(point: Tracepoint, { nth = 1, jobsIn }: { nth?: number; jobsIn?: string } = {}): Variables {
    this.armed.add(point);
    return {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      CRASH_POINT: JSON.stringify({ point, nth, jobsIn, hitsIn: this.hitsIn }),
    };
  }

  /** How often each armed point has ended a process. */
  hits(): Map<Tracepoint, number> {
    const lines = existsSync(this.hitsIn) ? readFileSync(this.hitsIn, 'utf8').split('\n') : [];
    return new Map([...this.armed].map((point) => [point, lines.filter((line) => line === point).length]));
  }
}
