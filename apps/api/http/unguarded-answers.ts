import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { rateLimited } from '#libs/errors/errors.js';
import { Accounts } from '#libs/identity/accounts.js';
import { Identity } from '#libs/identity/identity.js';
import { failureEnvelope } from './envelope.js';
import { WINDOW_SECONDS } from './rate-limit.store.js';
import { trackerOf } from './tracker.js';

/** Not counted at all: those who watch over the server ask often. */
const UNCOUNTED = /^\/(health|metrics)\b/;

/**
 * Counts the requests that `RateLimitGuard` never sees, since they are refused before a route is entered: no
 * such route, a body that is too large, of another type or no JSON. As reads, whatever they were to be.
 */
@Injectable()
export class UnguardedAnswers {
  constructor(
    private readonly identity: Identity,
    private readonly accounts: Accounts,
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
  ) {}

  countIn(server: FastifyInstance): void {
    server.addHook('onSend', async (request, reply, payload) => {
      const isRefusal = reply.statusCode >= 400 && reply.statusCode < 500;
      if (!isRefusal || reply.hasHeader('RateLimit-Limit') || UNCOUNTED.test(request.url)) return payload;
      return (await this.count(request, reply).catch(() => undefined)) ?? payload;
    });
  }

  /** Says on the answer what is left. Gives another answer when that is nothing. */
  private async count(request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> {
    const { authorization } = request.headers;
    const caller = request.caller ?? (await this.identity.identify(authorization).catch(() => undefined));
    const plan = caller ? await this.accounts.planOf(caller.userId) : this.accounts.anonymousPlan();
    const limit = plan.readsPerMinute;
    const key = `read:${trackerOf({ caller, ip: request.ip })}`;
    const usage = await this.storage.increment(key, WINDOW_SECONDS * 1_000, limit, 0, 'default');
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = usage;
    reply.headers({
      'RateLimit-Limit': limit, 'RateLimit-Remaining': Math.max(0, limit - totalHits), 'RateLimit-Reset': timeToExpire,
    });
    if (!isBlocked) return undefined;
    reply.status(429).header('retry-after', timeToBlockExpire);
    return JSON.stringify(failureEnvelope(rateLimited(timeToBlockExpire)));
  }
}
