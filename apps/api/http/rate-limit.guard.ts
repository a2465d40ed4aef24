import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerStorage, type ThrottlerLimitDetail, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rateLimited } from '#libs/errors/errors.js';
import { Accounts } from '#libs/identity/accounts.js';
import { SUBMIT_RATE } from './rates.js';
import { WINDOW_SECONDS } from './rate-limit.store.js';
import { trackerOf } from './tracker.js';

/**
 * So many submits and so many other requests a minute, by the caller's plan; callers without a token
 * count by address, of IPv6 by network. `RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) stand on every answer.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';

  constructor(
    @Inject(ThrottlerStorage) storage: ThrottlerStorage,
    // Named, since the parent's own injections are inherited by position.
    @Inject(Reflector) reflector: Reflector,
    private readonly accounts: Accounts,
  ) {
    super([{ limit: 0, ttl: WINDOW_SECONDS * 1000 }], storage, reflector);
  }

  protected override async handleRequest(props: ThrottlerRequest): Promise<boolean> {
    const caller = this.request(props.context).caller;
    const plan = caller ? await this.accounts.planOf(caller.userId) : this.accounts.anonymousPlan();
    const limit = this.isSubmit(props.context) ? plan.submitsPerMinute : plan.readsPerMinute;
    return super.handleRequest({ ...props, limit });
  }

  protected override async getTracker(request: FastifyRequest): Promise<string> {
    return trackerOf(request);
  }

  protected override generateKey(context: ExecutionContext, tracker: string): string {
    return `${this.isSubmit(context) ? 'submit' : 'read'}:${tracker}`;
  }

  protected override async throwThrottlingException(
    context: ExecutionContext,
    { limit, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    reply.headers({ 'RateLimit-Limit': limit, 'RateLimit-Remaining': 0, 'RateLimit-Reset': timeToBlockExpire });
    throw rateLimited(timeToBlockExpire);
  }

  private isSubmit(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<boolean>(SUBMIT_RATE, places) === true;
  }

  private request(context: ExecutionContext): FastifyRequest {
    return context.switchToHttp().getRequest<FastifyRequest>();
  }
}
