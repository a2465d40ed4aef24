import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { LRUCache } from 'lru-cache';
import { WebSocket } from 'ws';
import type { ServerAddress } from './server-address.js';
import { readImage, readMessage, type ServerMessage } from './socket-message.js';

/** Hears of one prompt. */
export interface PromptListener {
  hear(message: ServerMessage): void;
  /** An image, and the node that ran when it came. */
  image?(node: string, bytes: Buffer): void;
  /** The socket is gone: nothing more will be heard, whatever becomes of the prompt. */
  deaf?(): void;
}

export interface SocketTimes {
  /** Between two pings; a socket that has not answered the last one is given up. */
  pingMs: number;
  /** How long a socket without prompts stays open. */
  idleMs: number;
}

const OPEN_MS = 5_000;
const MAX_FRAME_BYTES = 128 * 1024 ** 2;
/** Prompts without an end: those that were taken out of the queue end without a message. */
const MAX_PROMPTS = 5_000;
const FORGET_MS = 3_600_000;

/**
 * The websocket to one server, open while prompts of this process are there. A socket that breaks is not resumed:
 * nothing is replayed, and a server that notices the end of the first socket late forgets the second with it. So
 * the next one has a client id of its own, and prompts of the one before are only asked after from then on.
 */
export class ServerSocket {
  private open?: Promise<Connection>;

  constructor(
    private readonly address: ServerAddress,
    private readonly prefix: () => Promise<string>,
    private readonly times: SocketTimes,
  ) {}

  /**
   * Listens for a prompt before it is sent; `clientId` is to be sent with it. Rejects when no socket can be opened.
   */
  async listen(promptId: string, listener: PromptListener): Promise<{ clientId: string; stop(): void }> {
    const connection = await this.connection();
    connection.listeners.set(promptId, listener);
    return { clientId: connection.clientId, stop: () => void connection.listeners.delete(promptId) };
  }

  async close(): Promise<void> {
    (await this.open?.catch(() => undefined))?.end();
  }

  private connection(): Promise<Connection> {
    if (this.open) return this.open;
    const forget = () => {
      if (this.open === opening) this.open = undefined;
    };
    const opening = this.prefix().then((prefix) => Connection.to(this.address, prefix, this.times, forget));
    this.open = opening;
    opening.catch(forget);
    return opening;
  }
}

class Connection {
  readonly listeners = new LRUCache<string, PromptListener>({ max: MAX_PROMPTS, ttl: FORGET_MS });
  private isOver = false;
  private current: { promptId: string; node: string } | null = null;
  private hasPonged = true;
  private idleSince = Date.now();
  private pulse?: NodeJS.Timeout;

  static async to(
    { origin, path, headers }: ServerAddress,
    prefix: string,
    times: SocketTimes,
    onOver: () => void,
  ): Promise<Connection> {
    const clientId = randomUUID();
    const url = `${origin.replace(/^http/, 'ws')}${path}${prefix}/ws?clientId=${clientId}`;
    const socket = new WebSocket(url, { headers, handshakeTimeout: OPEN_MS, maxPayload: MAX_FRAME_BYTES });
    const connection = new Connection(clientId, socket, times, onOver);
    await once(socket, 'open');
    connection.pulse = setInterval(() => connection.beat(), times.pingMs).unref();
    return connection;
  }

  private constructor(
    readonly clientId: string,
    private readonly socket: WebSocket,
    private readonly times: SocketTimes,
    private readonly onOver: () => void,
  ) {
    socket.on('message', (data: Buffer, isBinary: boolean) => (isBinary ? this.image(data) : this.message(String(data))));
    socket.on('pong', () => (this.hasPonged = true));
    socket.on('error', () => undefined);
    socket.on('close', () => this.over());
  }

  end(): void {
    this.socket.terminate();
    this.over();
  }

  /** A server that died without a word, or a network that did, answers no ping. */
  private beat(): void {
    if (this.listeners.size > 0) this.idleSince = Date.now();
    const isIdle = Date.now() - this.idleSince > this.times.idleMs;
    if (!this.hasPonged || isIdle) return this.end();
    this.hasPonged = false;
    this.socket.ping();
  }

  /** Prompts of clients without an id are told to every socket, so each message is matched by its prompt. */
  private message(text: string): void {
    const message = readMessage(text);
    const listener = message && this.listeners.get(message.promptId);
    if (!message || !listener) return;
    if (message.type === 'executing') {
      this.current = message.node === null ? null : { promptId: message.promptId, node: message.node };
    }
    listener.hear(message);
    if (message.type === 'executing' && message.node === null) this.listeners.delete(message.promptId);
  }

  private image(frame: Buffer): void {
    const image = readImage(frame);
    if (image && this.current) this.listeners.get(this.current.promptId)?.image?.(this.current.node, image.bytes);
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.pulse);
    this.onOver();
    for (const listener of this.listeners.values()) listener.deaf?.();
    this.listeners.clear();
  }
}
