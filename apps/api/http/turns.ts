import { rateLimited } from '#libs/errors/errors.js';

const RETRY_AFTER_SECONDS = 5;

/** Lets each user have so many calls under way in this process, so that none shuts out the others. */
export class Turns {
  private readonly underWay = new Map<string, number>();

  constructor(private readonly limit: number) {}

  /** Runs `work`. Throws `RATE_LIMITED` when the user has as many under way as may be. */
  async take<Result>(userId: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.underWay.get(userId) ?? 0;
    if (before >= this.limit) throw rateLimited(RETRY_AFTER_SECONDS);
    this.underWay.set(userId, before + 1);
    try {
      return await work();
    } finally {
      const left = (this.underWay.get(userId) ?? 1) - 1;
      if (left > 0) this.underWay.set(userId, left);
      else this.underWay.delete(userId);
    }
  }
}
