import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDatabaseUnavailable } from '#libs/database/database.js';
import { AppError } from '#libs/errors/app-error.js';
import { failureEnvelope, successEnvelope } from '#libs/errors/envelope.js';
import { internalError, notFound, serviceUnavailable } from '#libs/errors/errors.js';
import { ASK_FOR_PASSWORD, type OperatorAccess } from '#libs/identity/operator-access.js';
import type { Metrics } from './metrics.js';

const REQUEST_TIMEOUT_MS = 10_000;
const JSON_TYPE = 'application/json; charset=utf-8';

export interface Page {
  contentType: string;
  text: string;
}

/** By path. What a page throws becomes the answer. */
export type Pages = Record<string, (authorization: string | undefined) => Promise<Page>>;

export interface OperatorsServer {
  url: string;
  close(): Promise<void>;
}

/** A page of JSON, in the envelope of every answer. */
export const jsonPage = (data: unknown): Page => ({
  contentType: JSON_TYPE,
  text: JSON.stringify(successEnvelope(data)),
});

/** The metrics, for whoever may see them. */
export async function metricsPage(
  metrics: Metrics,
  access: OperatorAccess,
  authorization: string | undefined,
): Promise<Page> {
  const refusal = await access.refusalOfMetrics(authorization);
  if (refusal) throw refusal;
  return { contentType: metrics.contentType, text: await metrics.text() };
}

/** A few pages on a port of their own, beside or without the API. Fails when the port is taken. */
export async function startOperatorsServer(
  { host, port }: { host: string; port: number },
  pages: Pages,
): Promise<OperatorsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, reply) => {
    void answer(pages, request, reply);
  });
  await listen(server, port, host);
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    close: () => close(server),
  };
}

async function answer(pages: Pages, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  reply.on('error', () => undefined);
  request.resume();
  try {
    const path = (request.url ?? '').split('?', 1)[0] as string;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const page = isRead && Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page) throw notFound('Page');
    const { contentType, text } = await page(request.headers.authorization);
    reply.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
  } catch (error) {
    const failure = toFailure(error);
    reply.setHeaders(new Map(Object.entries(failure.status === 401 ? ASK_FOR_PASSWORD : {})));
    if (failure.retryAfterSeconds !== undefined) reply.setHeader('retry-after', failure.retryAfterSeconds);
    reply.writeHead(failure.status, { 'content-type': JSON_TYPE, 'cache-control': 'no-store' });
    reply.end(JSON.stringify(failureEnvelope(failure)));
  }
}

function toFailure(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return isDatabaseUnavailable(error) ? serviceUnavailable() : internalError();
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
