import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '#libs/identity/caller.js';

export type { Caller } from '#libs/identity/caller.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `AuthenticationGuard` when the request carries a valid token or API key. */
    caller?: Caller;
  }
}

/**
 * Who may call a route: `public` anyone (a valid token is still read), `user` any known caller,
 * `admin` callers of that role, `operator` admins and whoever has `METRICS_TOKEN`. Whose rows a caller may touch is decided by the queries.
 */
export type PolicyName = 'public' | 'user' | 'admin' | 'operator';

export const POLICY = 'platen:policy';
/** The policy in OpenAPI. */
export const POLICY_EXTENSION = 'x-policy';

/** Declares the policy of a route or of a controller's routes. A route without one does not start. */
export const Policy = (name: PolicyName) =>
  applyDecorators(SetMetadata(POLICY, name), ApiExtension(POLICY_EXTENSION, name));

/** The caller; `undefined` only on public routes. */
export const CurrentCaller = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().caller,
);
