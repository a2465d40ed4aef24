import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';
import { Executor } from './executor.js';
import { nodeClasses, type NodeClass } from './node-classes.js';
import type { ServerVersion } from './prompt-check.js';
import { answer, type Answer } from './routes.js';
import { StoredFiles } from './stored-files.js';

export interface StandInOptions {
  version?: ServerVersion;
  models?: Record<string, string[]>;
  /** Classes that this server lacks. */
  without?: string[];
  /** Header that each request must bring. */
  key?: { name: string; value: string };
}

/**
 * A ComfyUI server as real ones behave on the wire, of the generation before `/api/jobs` or of the one with it:
 * routes, answers, messages and their order. It can have bad days.
 */
export class ComfyStandIn {
  readonly files = new StoredFiles();
  readonly version: ServerVersion;
  readonly models: Record<string, string[]>;
  readonly classes: Record<string, NodeClass>;
  executor!: Executor;
  /** Requests as `METHOD path`, for tests that count them. */
  readonly requests: string[] = [];
  /** The next prompt's number. */
  counter = 0;
  /** Answers nothing: connections are taken, requests are read, and that is all. */
  silent = false;
  /** Sockets take part in nothing any more, pongs included, though HTTP goes on. */
  halfOpen = false;
  /** Called before each answer, with `METHOD path`: what it waits for has happened by then. */
  beforeAnswer: (request: string) => Promise<void> | void = () => undefined;
  /** Answers to `POST /prompt` instead of its own, one each. */
  readonly oddAnswers: Answer[] = [];
  private server!: Server;
  private sockets!: WebSocketServer;
  private readonly clients = new Map<string, WebSocket>();
  private readonly connections = new Set<Socket>();
  private port = 0;

  private constructor(private readonly options: StandInOptions) {
    this.version = options.version ?? '0.33.0';
    this.models = options.models ?? { checkpoints: ['sd15.safetensors'] };
    const lacking = options.without ?? [];
    const all = Object.entries(nodeClasses(this.models)).filter(([name]) => !lacking.includes(name));
    this.classes = Object.fromEntries(all);
  }

  static async start(options: StandInOptions = {}): Promise<ComfyStandIn> {
    const standIn = new ComfyStandIn(options);
    await standIn.listen();
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get name(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Websockets that are open. */
  get listeners(): number {
    return this.clients.size;
  }

  /** As SIGTERM does: no close frame, and queue and history are gone. */
  async kill(): Promise<void> {
    this.executor.kill();
    const closed = once(this.server, 'close');
    this.server.close();
    for (const connection of this.connections) connection.destroy();
    await closed;
  }

  /** On the same port, with nothing in queue and history, and `temp` empty. */
  async restart(): Promise<void> {
    this.files.clearTemp();
    this.counter = 0;
    await this.listen();
  }

  async close(): Promise<void> {
    if (this.server.listening) await this.kill();
  }

  /** Ends all websockets, as a proxy between does. */
  cutSockets(): void {
    for (const socket of this.clients.values()) socket.terminate();
  }

  private async listen(): Promise<void> {
    this.clients.clear();
    this.executor = new Executor(this.classes, this.files, {
      send: (client, type, data) => this.send(client, JSON.stringify({ type, data })),
      sendImage: (client, bytes) => this.sendImage(client, bytes),
    });
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('connection', (socket) => {
      this.connections.add(socket);
      socket.on('error', () => undefined).on('close', () => this.connections.delete(socket));
    });
    this.sockets = new WebSocketServer({ noServer: true, autoPong: false });
    this.server.on('upgrade', (request, socket, head) => {
      if (this.silent || !/^(\/api)?\/ws\b/.test(request.url ?? '')) return;
      if (!this.isAllowed(request)) return void socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      this.sockets.handleUpgrade(request, socket, head, (client) => this.greet(client, request));
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    await this.beforeAnswer(`${request.method} ${url.pathname}`);
    if (this.silent) return;
    const { status, headers = {}, body: bytes = '' } = this.isAllowed(request)
      ? await answer(this, request, url, body)
      : { status: 401 };
    response.writeHead(status, headers).end(bytes);
  }

  private isAllowed({ headers }: IncomingMessage): boolean {
    if (headers.origin !== undefined) return false;
    const { key } = this.options;
    return !key || headers[key.name.toLowerCase()] === key.value;
  }

  /** A second socket of a client takes over from the first. */
  private greet(socket: WebSocket, request: IncomingMessage): void {
    const sid = new URL(request.url ?? '/', this.url).searchParams.get('clientId') ?? randomUUID();
    this.clients.set(sid, socket);
    socket.on('ping', (data) => this.halfOpen || this.silent || socket.pong(data));
    // Whichever of a client's sockets closes: the server then forgets the client.
    socket.on('error', () => undefined).on('close', () => this.clients.delete(sid));
    const status = { exec_info: { queue_remaining: this.executor.remaining } };
    socket.send(JSON.stringify({ type: 'status', data: { status, sid } }));
    const running = this.executor.running;
    if (running?.extra.client_id === sid) {
      socket.send(JSON.stringify({ type: 'executing', data: { node: Object.keys(running.graph)[0] } }));
    }
  }

  private send(client: string | null, message: string | Buffer): void {
    if (this.halfOpen || this.silent) return;
    const sockets = client === null ? [...this.clients.values()] : [this.clients.get(client)];
    for (const socket of sockets) if (socket?.readyState === 1) socket.send(message);
  }

  /** Without the `supports_preview_metadata` flag: an event of type 1, format 2 (PNG). */
  private sendImage(client: string | null, bytes: Buffer): void {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(1, 0);
    head.writeUInt32BE(2, 4);
    this.send(client, Buffer.concat([head, bytes]));
  }
}
