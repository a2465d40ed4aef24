import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { fieldError, notFound } from '#libs/errors/errors.js';
import { failureEnvelope } from './envelope.js';
import { answerInvalidHttp } from './invalid-http.js';
import { acceptJsonBodies } from './json-body.js';
import { closeUnusedConnections } from './unused-connections.js';

const JSON_BYTES = 1024 ** 2;
const HEADERS_TIMEOUT_MS = 20_000;
const CHECK_TIMEOUTS_MS = 5_000;
/** Uploads included. */
const REQUEST_TIMEOUT_MS = 600_000;
/** Longer than the 60 s after which most load balancers drop an idle connection themselves. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Asked for by machines, every few seconds. */
const PROBED = /^\/(health\/|metrics$)/;

/** The Fastify server under Nest: limits, request ids, the JSON guard and one log line per request. */
export function createServer(logger: Logger): FastifyAdapter {
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    bodyLimit: JSON_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_TIMEOUTS_MS },
    // A reverse proxy on this machine names the client; anyone else's X-Forwarded-For is only a claim.
    trustProxy: 'loopback',
    requestIdHeader: false,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestId,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerNoPath,
    clientErrorHandler: answerInvalidHttp,
  });
  prepare(adapter.getInstance() as unknown as FastifyInstance);
  return adapter;
}

function prepare(server: FastifyInstance): void {
  acceptJsonBodies(server);
  closeUnusedConnections(server);
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    refuseUnstorable(request);
  });
  server.addHook('onResponse', async (request, reply) => logRequest(request, reply));
}

/** A path that the router cannot read or finds too long: to clients, an id like any other that does not exist. */
function answerNoPath(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .status(404)
    .headers({ 'x-request-id': request.id, 'content-type': 'application/json; charset=utf-8' })
    .send(JSON.stringify(failureEnvelope(notFound())));
}

/** The client's own id when it is harmless, so that its logs and ours can be joined. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** U+0000 fits into no text of Postgres: a query must not get as far as that. */
function refuseUnstorable({ params, query }: FastifyRequest): void {
  if (Object.values(params ?? {}).some(holdsNul)) throw notFound();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (holdsNul(name) || [value].flat().some(holdsNul)) throw fieldError(name, 'must not hold U+0000');
  }
}

const holdsNul = (value: unknown) => typeof value === 'string' && value.includes('\0');

/** Without query, headers and body: they hold tokens and prompts. */
function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'unknown';
  const fields = {
    method: request.method,
    route,
    status: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime),
    code: request.failureCode,
    user_id: request.caller?.userId,
  };
  request.log[PROBED.test(route) ? 'debug' : 'info'](fields, 'request');
}

