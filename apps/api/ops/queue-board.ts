import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { ASK_FOR_PASSWORD, type OperatorAccess } from '#libs/identity/operator-access.js';
import { failureEnvelope } from '../http/envelope.js';

const ROUTE = '/admin/queues';
const POLLING_SECONDS = 5;
const DESCRIPTION = 'Wake-ups. The work itself is in the database: with an empty queue there may be a lot of it.';

/**
 * Bull Board at `/admin/queues`, to look at only. Its routes live in a scope of their own whose
 * `onRequest` hook lets nobody but admins pass: a hook runs for every route of the scope, static files
 * included, whereas a path-matching guard can be passed by spelling the path otherwise.
 */
export function mountQueueBoard(server: FastifyInstance, access: OperatorAccess, queues: Queue[]): void {
  const board = new FastifyAdapter();
  board.setBasePath(ROUTE);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, description: DESCRIPTION })),
    // The adapter's package brings an older copy of these types.
    serverAdapter: board as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
    options: { uiConfig: { boardTitle: 'Platen', pollingInterval: { forceInterval: POLLING_SECONDS } } },
  });
  server.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      const refusal = await access.refusal(request.headers.authorization);
      if (!refusal) return;
      if (refusal.status === 401) reply.headers(ASK_FOR_PASSWORD);
      return reply.status(refusal.status).send(failureEnvelope(refusal));
    });
    scope.register(board.registerPlugin(), { prefix: ROUTE });
  });
}
