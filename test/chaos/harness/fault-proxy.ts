import { once } from 'node:events';
import { connect, createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What can happen to a request on its way, and to its answer on the way back. */
export const FAULT_KINDS = ['error', 'timeout', 'slow', 'done-but-said-failed', 'garbage'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** Of a request to meet it, from 0 to 1. */
  probability: number;
  /** Only requests with these bytes, as Latin-1 text. */
  match?: RegExp;
  /** How long a `slow` one waits. */
  delayMs?: number;
  /** After so many it is over; unset, it goes on. */
  times?: number;
}

const SLOW_MS = 200;
/** What Platen asks of Postgres (libs/database/server-keepalive.ts). */
const SERVER_KEEPALIVE_MS = 60_000;

/** One client's way to the server. */
interface Way {
  near: Socket;
  far: Socket;
  /** Half-open: neither side hears of the other any more, and nobody says that it ended. */
  mute: boolean;
  /** What becomes of the next answer. */
  answer: 'pass' | 'swallow' | 'garble';
  queue: Promise<void>;
}

/**
 * A TCP proxy that does to connections what networks do: `error` resets, `timeout` goes silent without an
 * end, `slow` delays, `done-but-said-failed` passes the request and cuts before its answer, `garbage`
 * passes it and makes noise of the answer. Counts what it did.
 */
export class FaultProxy {
  readonly hits: Record<FaultKind, number> = { 'error': 0, 'timeout': 0, 'slow': 0, 'done-but-said-failed': 0, 'garbage': 0 };
  private readonly ways = new Set<Way>();
  private readonly server: Server;
  private faults: Fault[] = [];
  private silent = false;

  private constructor(
    private target: URL,
    private readonly random: () => number,
  ) {
    this.server = createServer((near) => this.accept(near));
  }

  static async to(url: string, random: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(url), random);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** The server's address, by way of this proxy; stays the same when the server moves. */
  get url(): string {
    const url = new URL(this.target);
    [url.hostname, url.port] = ['127.0.0.1', String((this.server.address() as AddressInfo).port)];
    return url.href;
  }

  /** New connections go to `url` from now on. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  /** From now on requests meet these faults; an empty list mends everything but what is half-open already. */
  inflict(...faults: Fault[]): void {
    this.faults = faults.map((fault) => ({ ...fault }));
  }

  /** Every connection, old or new, goes silent without an end until `speak`. */
  silence(): void {
    this.silent = true;
    this.hits.timeout += this.ways.size;
    for (const way of this.ways) this.mute(way);
  }

  /** New connections work again. Those that were silenced stay so: nobody tells their ends. */
  speak(): void {
    this.silent = false;
  }

  /** Resets every connection that is open. */
  cut(): void {
    for (const way of this.ways) this.reset(way);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    await closed;
  }

  private accept(near: Socket): void {
    // What is sent into the silence does not arrive: the server hears of no new connection.
    const far = this.silent ? new Socket() : connect(Number(this.target.port), this.target.hostname);
    const way: Way = { near, far, mute: this.silent, answer: 'pass', queue: Promise.resolve() };
    this.ways.add(way);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined).on('close', () => this.end(way));
    }
    near.on('data', (bytes) => this.request(way, bytes));
    far.on('data', (bytes) => this.respond(way, bytes));
  }

  private request(way: Way, bytes: Buffer): void {
    if (way.mute) return;
    const fault = this.faultFor(bytes);
    if (!fault) return this.pass(way, bytes);
    if (fault.times !== undefined) fault.times -= 1;
    this.hits[fault.kind] += 1;
    if (fault.kind === 'error') this.reset(way);
    else if (fault.kind === 'timeout') this.mute(way);
    else {
      if (fault.kind === 'done-but-said-failed') way.answer = 'swallow';
      if (fault.kind === 'garbage') way.answer = 'garble';
      this.pass(way, bytes, fault.kind === 'slow' ? (fault.delayMs ?? SLOW_MS) : 0);
    }
  }

  /** The client is told nothing; the server's own keepalives end its side after a while. */
  private mute(way: Way): void {
    way.mute = true;
    setTimeout(() => way.far.destroy(), SERVER_KEEPALIVE_MS).unref();
  }

  /** Behind all that waits already: bytes never overtake each other. */
  private pass(way: Way, bytes: Buffer, waitMs = 0): void {
    way.queue = way.queue
      .then(() => (waitMs > 0 ? delay(waitMs) : undefined))
      .then(() => void (way.far.destroyed || way.far.write(bytes)));
  }

  private respond(way: Way, bytes: Buffer): void {
    if (way.mute) return;
    if (way.answer === 'swallow') return this.reset(way);
    way.near.write(way.answer === 'garble' ? Buffer.from(bytes).map(() => Math.floor(this.random() * 256)) : bytes);
    way.answer = 'pass';
  }

  private faultFor(bytes: Buffer): Fault | undefined {
    return this.faults.find(
      ({ probability, match, times = 1 }) =>
        times > 0 &&
        (!match || match.test(bytes.toString('latin1'))) && this.random() < probability,
    );
  }

  private reset(way: Way): void {
    way.near.resetAndDestroy();
    way.far.destroy();
  }

  /** Ends with either side, unless it is half-open: then the other side never learns of it. */
  private end(way: Way): void {
    if (way.mute && !(way.near.destroyed && way.far.destroyed) && this.server.listening) return;
    way.near.destroy();
    way.far.destroy();
    this.ways.delete(way);
  }
}
