import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedWebhook {
  path: string;
  headers: IncomingHttpHeaders;
  /** As it came. */
  body: string;
  id: string;
}

export interface ReceiverAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Nothing ever comes. */
  hangs?: true;
  /** The connection breaks before the answer. */
  isLost?: true;
}

/** Somebody's endpoint for webhooks, with its bad days. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** What the n-th of all requests gets, counted from 0. */
  plan: (webhook: ReceivedWebhook, before: number) => ReceiverAnswer = () => ({});
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const { headers, url: path = '' } = request;
        const webhook = { path, headers, body, id: String(headers['webhook-id']) };
        const { status = 200, headers: own, body: answer = '', hangs, isLost } = this.plan(webhook, this.received.length);
        this.received.push(webhook);
        if (isLost) response.destroy();
        else if (!hangs) response.writeHead(status, own).end(answer);
      });
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}/hook`;
  }

  close(): void {
    this.server.close().closeAllConnections();
  }
}
