import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '#libs/errors/app-error.js';
import { forbidden, unauthenticated } from '#libs/errors/errors.js';
import { Identity } from '#libs/identity/identity.js';
import { ASK_FOR_PASSWORD, OperatorAccess } from '#libs/identity/operator-access.js';
import { POLICY, type PolicyName } from './policy.js';

/**
 * Finds out who calls, without judging: the rate limit, which runs between this guard and `PolicyGuard`,
 * counts callers with bad tokens as well.
 */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(private readonly identity: Identity) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    try {
      request.caller = await this.identity.identify(request.headers.authorization);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      request.authenticationFailure = error;
    }
    return true;
  }
}

/** Enforces `@Policy`. */
@Injectable()
export class PolicyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly operators: OperatorAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = this.reflector.getAllAndOverride<PolicyName>(POLICY, [context.getHandler(), context.getClass()]);
    if (policy === 'public') return true;
    const { caller, authenticationFailure, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (policy === 'operator') {
      const refusal = await this.operators.refusalOfMetrics(headers.authorization);
      if (!refusal) return true;
      if (refusal.status === 401) context.switchToHttp().getResponse<FastifyReply>().headers(ASK_FOR_PASSWORD);
      throw refusal;
    }
    if (!caller) throw authenticationFailure ?? unauthenticated();
    if (policy === 'admin' && caller.role !== 'admin') throw forbidden();
    return true;
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Why the credentials of this request were refused. */
    authenticationFailure?: AppError;
  }
}
