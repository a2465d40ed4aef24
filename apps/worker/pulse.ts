import type { Lane } from '#libs/nodes/node.js';

/** What the last look for work at a lane came to, on this process's own clock. */
interface Beat {
  /** When a look ended, whatever came of it. */
  turnedAt: number;
  /** When the database answered one. */
  servedAt: number;
}

/**
 * Whether a worker works. A worker's word that it runs is worth nothing: loops stop without a sound. So
 * each end of a look for work is noted, and so is each renewal of the leases of a lane that has no free
 * slot to look for. A lane without either stands still.
 */
export class Pulse {
  private readonly beats: Map<Lane, Beat>;
  private resting = false;

  constructor(
    lanes: readonly Lane[],
    private readonly now: () => number = () => performance.now(),
  ) {
    this.beats = new Map(lanes.map((lane) => [lane, { turnedAt: now(), servedAt: now() }]));
  }

  /** Notes the end of a look at the lane; `served`: the database answered it. */
  beat(lane: Lane, served: boolean): void {
    const beat = this.beats.get(lane);
    if (!beat) return;
    beat.turnedAt = this.now();
    if (served) beat.servedAt = beat.turnedAt;
  }

  /** From here on nothing more is looked for: the worker ends what it has and stops. */
  rest(): void {
    this.resting = true;
  }

  get isResting(): boolean {
    return this.resting;
  }

  /** Milliseconds for which the lane that stands still the longest should have been looked at, and was not. */
  get stillForMs(): number {
    if (this.resting) return 0;
    return this.now() - Math.min(...[...this.beats.values()].map(({ turnedAt }) => turnedAt));
  }

  /** Milliseconds for which the database has not answered a look at some lane. */
  get unservedForMs(): number {
    return this.now() - Math.min(...[...this.beats.values()].map(({ servedAt }) => servedAt));
  }
}
