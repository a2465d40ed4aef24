import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '#libs/errors/app-error.js';
import { forbidden, unauthenticated } from '#libs/errors/errors.js';
import type { Identity } from './identity.js';

/** Headers of a refusal by which a browser asks for a password. */
export const ASK_FOR_PASSWORD = { 'www-authenticate': 'Basic realm="Platen", charset="UTF-8"' };

/** Who may see the pages of operators: admins, by Bearer or as the password of HTTP Basic. */
export class OperatorAccess {
  constructor(
    private readonly identity: Identity,
    /** Opens the metrics, and nothing else: for a Prometheus that is no user. */
    private readonly metricsToken?: string,
  ) {}

  /** Why this request may not see admin pages, if so. Fails when the database is away. */
  async refusal(authorization: string | undefined): Promise<AppError | undefined> {
    try {
      const caller = await this.identity.identifyBrowser(authorization);
      if (!caller) return unauthenticated();
      return caller.role === 'admin' ? undefined : forbidden();
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  /** Likewise of the metrics; their token is also taken while the database is away. */
  async refusalOfMetrics(authorization: string | undefined): Promise<AppError | undefined> {
    return this.isMetricsToken(authorization) ? undefined : this.refusal(authorization);
  }

  private isMetricsToken(authorization = ''): boolean {
    const [, token] = /^Bearer +(.+?) *$/i.exec(authorization) ?? [];
    if (this.metricsToken === undefined || token === undefined) return false;
    return timingSafeEqual(digest(token), digest(this.metricsToken));
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
