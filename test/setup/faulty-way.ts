import { once } from 'node:events';
import {
  createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * What happens to one request: answered 503 or 429, as clouds do; never answered; cut before it is sent on; done, but
 * its answer is lost; its body changed on the way; its answer cut, or left hanging, after so many bytes.
 */
export type Fault =
  | 'slow_down' | 'too_many' | 'hang' | 'cut' | 'done_but_lost' | 'garbled'
  | { cutAfter: number } | { hangAfter: number }
  | null;

const REFUSED = { slow_down: 503, too_many: 429 } as const;
const SLOW_DOWN = '<Error><Code>SlowDown</Code></Error>';

export interface Passing {
  method: string;
  /** Of an object in a bucket its key; `?…` where there is a query. */
  path: string;
  /** How many requests with the same method and path were there before. */
  before: number;
}

/** A way to an HTTP server on which requests come to harm, as `plan` says. */
export class FaultyWay {
  plan: (passing: Passing) => Fault = () => null;
  readonly passed: string[] = [];
  private readonly server: Server;

  private constructor(private readonly target: URL) {
    this.server = createServer((request, response) => {
      this.pass(request, response).catch(() => response.destroy());
    });
  }

  static async to(url: string): Promise<FaultyWay> {
    const way = new FaultyWay(new URL(url));
    way.server.listen(0, '127.0.0.1');
    await once(way.server, 'listening');
    return way;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close().closeAllConnections();
    await closed;
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.faultOf(request);
    if (fault === 'hang') return;
    if (fault === 'cut') return void setTimeout(() => response.destroy(), 5);
    const body = await buffer(request);
    if (fault === 'slow_down' || fault === 'too_many') return void response.writeHead(REFUSED[fault]).end(SLOW_DOWN);
    if (fault === 'garbled') body.writeUInt8(body.readUInt8(0) ^ 1, 0);
    const answer = await this.send(request, body);
    if (fault === 'done_but_lost') return void answer.resume().once('end', () => response.destroy());
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    await hand(answer, response, fault);
  }

  private faultOf({ method = '', url = '' }: IncomingMessage): Fault {
    const path = url.replace(/^\/[^/?]+\/?/, '').replace(/x-id=\w+&?/, '');
    const name = `${method} ${path}`;
    const before = this.passed.filter((other) => other === name).length;
    this.passed.push(name);
    return this.plan({ method, path, before });
  }

  private async send({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const sent = httpRequest(new URL(url ?? '', this.target), { method, headers });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  }
}

async function hand(answer: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
  const limit = typeof fault === 'object' && fault ? Object.values(fault)[0] as number : Infinity;
  let given = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const fitting = chunk.subarray(0, limit - given);
    given += fitting.length;
    await new Promise((written) => response.write(fitting, written));
    if (given < limit) continue;
    if (fault && typeof fault === 'object' && 'cutAfter' in fault) setTimeout(() => response.destroy(), 20);
    return;
  }
  response.end();
}
