/** Beginnings that are remembered; what began longer ago than so many others is not timed. */
const REMEMBERED = 10_000;

/** Times what begins and ends in two events. Both have to pass this process, else there is no time. */
export class Stopwatch {
  private readonly begun = new Map<string, number>();

  /** What has begun already goes on. */
  begin(id: string, at: string): void {
    if (this.begun.has(id)) return;
    this.begun.set(id, Date.parse(at));
    if (this.begun.size > REMEMBERED) this.begun.delete(this.begun.keys().next().value as string);
  }

  /** Seconds since the beginning; undefined when that was not seen. */
  end(id: string, at: string): number | undefined {
    const begun = this.begun.get(id);
    this.begun.delete(id);
    return begun === undefined ? undefined : Math.max(0, Date.parse(at) - begun) / 1_000;
  }
}
