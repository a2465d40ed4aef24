/** How long a reading may hold up the page; what comes later is there for the next one. */
const PATIENCE_MS = 2_000;
/** An older value would hide that nothing answers. */
const STALE_MS = 60_000;

/** Something read from outside the process: at most every so often, and by one call at a time. */
export class Reading {
  /** When there was an answer, of whatever kind: what costs much is asked no more often because it fails. */
  private askedAt = -Infinity;
  private readAt = -Infinity;
  private running: Promise<void> | undefined;

  constructor(
    private readonly everyMs: number,
    private readonly read: () => Promise<void>,
    /** Takes back what was read: it is no longer known. */
    private readonly forget: () => void,
  ) {}

  /** Brings the values up to date, when they are not and that takes no longer than 2 s. Never fails. */
  readonly refresh = async (): Promise<void> => {
    if (performance.now() - this.askedAt >= this.everyMs) await this.readInTime();
    if (performance.now() - this.readAt > this.everyMs + STALE_MS) this.forget();
  };

  private async readInTime(): Promise<void> {
    this.running ??= this.readOnce().finally(() => (this.running = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([this.running, late]);
    clearTimeout(timer);
  }

  private async readOnce(): Promise<void> {
    try {
      await this.read();
      this.readAt = performance.now();
    } catch {
      this.readAt = -Infinity;
    }
    this.askedAt = performance.now();
  }
}
