const RECENT_MS = 5 * 60_000;
/** Callers remembered at most. */
const REMEMBERED = 100_000;

/** Who called lately, each once. */
export class RecentCallers {
  /** By when they called last, the oldest first. */
  private readonly calledAt = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  saw(userId: string): void {
    this.calledAt.delete(userId);
    this.calledAt.set(userId, this.now());
    if (this.calledAt.size > REMEMBERED) this.forgetOldest();
  }

  count(): number {
    const oldest = this.now() - RECENT_MS;
    for (const [userId, at] of this.calledAt) {
      if (at >= oldest) break;
      this.calledAt.delete(userId);
    }
    return this.calledAt.size;
  }

  private forgetOldest(): void {
    const [oldest] = this.calledAt.keys();
    if (oldest !== undefined) this.calledAt.delete(oldest);
  }
}
