import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

interface ChatCall {
  headers: IncomingHttpHeaders;
  model: string;
  message: string;
}

export interface ChatAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: JsonObject;
  /** The connection breaks before the answer. */
  isLost?: true;
}

/** A stand-in for an endpoint that speaks OpenAI's `POST /chat/completions`. */
export class ChatServer {
  readonly calls: ChatCall[] = [];
  /** What the n-th call gets, counted from 0. */
  plan: (call: ChatCall, before: number) => ChatAnswer | string = ({ message }) => `You said: ${message}`;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void json(request).then((asked) => {
        const { model, messages } = asked as { model: string; messages: Array<{ content: string }> };
        const call = { headers: request.headers, model, message: messages[0]?.content ?? '' };
        const answer = request.url === '/v1/chat/completions' ? this.plan(call, this.calls.length) : { status: 404 };
        this.calls.push(call);
        const given: ChatAnswer = typeof answer === 'string' ? { body: completion(answer) } : answer;
        const { status = 200, body = { error: { message: 'secret detail' } }, headers, isLost } = given;
        if (isLost) return void response.destroy();
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      });
    });
  }

  static async start(): Promise<ChatServer> {
    const chat = new ChatServer();
    await once(chat.server.listen(0, '127.0.0.1'), 'listening');
    return chat;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}/v1`;
  }

  close(): void {
    this.server.close().closeAllConnections();
  }
}

const completion = (content: string): JsonObject => ({
  id: 'chatcmpl-1', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
});
