import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { AppError } from '#libs/errors/app-error.js';
import { forbidden, unauthenticated } from '#libs/errors/errors.js';
import type { Identity } from '#libs/identity/identity.js';
import { failureEnvelope } from '../http/envelope.js';

const ROUTE = '/admin/queues';

/**
 * Bull Board at `/admin/queues`, to look at only. Its routes live in a scope of their own whose
 * `onRequest` hook lets nobody but admins pass: a hook runs for every route of the scope, static files
 * included, whereas a path-matching guard can be passed by spelling the path otherwise.
 */
export function mountQueueBoard(server: FastifyInstance, identity: Identity, queues: Queue[]): void {
  const board = new FastifyAdapter();
  board.setBasePath(ROUTE);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    // The adapter's package brings an older copy of these types.
    serverAdapter: board as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
  });
  server.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      const refusal = await refusalOf(identity, request.headers.authorization);
      if (!refusal) return;
      if (refusal.status === 401) reply.header('www-authenticate', 'Basic realm="Platen", charset="UTF-8"');
      return reply.status(refusal.status).send(failureEnvelope(refusal));
    });
    scope.register(board.registerPlugin(), { prefix: ROUTE });
  });
}

/** Why this request may not see admin pages, if so. */
async function refusalOf(identity: Identity, authorization: string | undefined): Promise<AppError | undefined> {
  try {
    const caller = await identity.identifyBrowser(authorization);
    if (!caller) return unauthenticated();
    return caller.role === 'admin' ? undefined : forbidden();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
