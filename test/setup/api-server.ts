import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { TEST_CERTIFICATE, TEST_KEY } from './tls.js';

export interface ApiRequestSeen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Parsed where it is JSON. */
  body: unknown;
}

/** What the server does with a request: answers a status and JSON (or bytes), or anything else by hand. */
export type ApiAnswering = (
  request: ApiRequestSeen,
  response: ServerResponse,
) => [status: number, body?: unknown, headers?: Record<string, string>] | void | Promise<void>;

/** Another service's API, of a test. */
export class ApiServer {
  readonly calls: ApiRequestSeen[] = [];
  answer: ApiAnswering = () => [200, {}];

  private constructor(
    readonly url: string,
    readonly close: () => void,
  ) {}

  /** On a free port; `https` with a certificate of `tls.ts`. */
  static async start(scheme: 'http' | 'https' = 'http', hostname = '127.0.0.1'): Promise<ApiServer> {
    const handle = (request: IncomingMessage, response: ServerResponse) => void server.handle(request, response);
    const listener = scheme === 'http'
      ? createServer(handle)
      : createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, handle);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const server = new ApiServer(`${scheme}://${hostname}:${port}`, () => {
      listener.closeAllConnections();
      listener.close();
    });
    return server;
  }

  get host(): string {
    return new URL(this.url).host;
  }

  reset(answer: ApiAnswering): void {
    this.calls.length = 0;
    this.answer = answer;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, headers, body: jsonOr(await text(request).catch(() => '')) };
    this.calls.push(seen);
    const answered = await this.answer(seen, response);
    if (!answered) return;
    const [status, body, more = {}] = answered;
    const isBytes = body instanceof Uint8Array;
    response.writeHead(status, { 'content-type': isBytes ? 'application/octet-stream' : 'application/json', ...more });
    response.end(isBytes ? body : JSON.stringify(body));
  }
}

function jsonOr(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
