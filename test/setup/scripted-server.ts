import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const json = (status: number, body: object, headers: Record<string, string> = {}): Answer => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'request-7', ...headers }).end(JSON.stringify(body));
};
export const success = (data: unknown, status = 200) => json(status, { success: true, data, error: null });
export const failure = (status: number, code: string, headers?: Record<string, string>, details?: unknown) =>
  json(status, { success: false, data: null, error: 'It cannot be.', code, details }, headers);
export const cutOff: Answer = (request) => request.socket.destroy();
export const silence: Answer = () => undefined;

/** A server that gives its answers in turn, the last one for good, and remembers what it was asked. */
export class ScriptedServer {
  readonly requests: Array<{ method: string; url: string; headers: IncomingMessage['headers']; body: string }> = [];
  answers: Answer[] = [];
  private readonly server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, url, headers, body });
    const [answer = success(null)] = this.answers.length > 1 ? this.answers.splice(0, 1) : this.answers;
    answer(request, response);
  });

  async start(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
