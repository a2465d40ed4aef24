import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withinTrace } from '#libs/tracing/current-trace.js';
import { isTracing, openSpan, type OpenSpan } from '#libs/tracing/spans.js';

/** Asked for by machines, every few seconds. */
const PROBED = /^\/(health\/|metrics$)/;

/**
 * Makes a span of each request to a route that is added from here on, as part of its caller's trace where that sends a
 * `traceparent`. Named by the route's template: an address may hold a token.
 */
export function traceRequests(server: Pick<FastifyInstance, 'addHook'>): void {
  if (!isTracing()) return;
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  server.addHook('onRequest', async (request) => {
    const span = begin(request);
    if (span) spans.set(request, span);
  });
  // The body has been read by now: reading it leaves behind what was entered before.
  server.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) withinTrace(span.traceparent, done);
    else done();
  });
  server.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.end({
      attributes: { 'http.response.status_code': reply.statusCode },
      ...(request.failureCode && reply.statusCode >= 500 && { failure: request.failureCode }),
    });
  });
}

function begin({ method, routeOptions: { url: route = 'none' }, headers: { traceparent } }: FastifyRequest) {
  if (PROBED.test(route)) return undefined;
  return openSpan({
    name: `${method} ${route}`,
    root: true,
    server: true,
    ...(typeof traceparent === 'string' && { parent: traceparent }),
    attributes: { 'http.request.method': method, 'http.route': route },
  });
}
