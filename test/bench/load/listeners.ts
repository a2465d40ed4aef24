import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { serveBench } from '../child.js';
import { percentile } from '../statistics.js';

/** What the listeners can be asked for. Streams belong to a group, by a name. */
export type ListenRequest =
  | { open: Array<{ url: string; headers: Record<string, string> }>; group: string }
  | { collect: number; group: string; timed: boolean }
  | { pause: number; group: string };

export interface Collected {
  delivered: number;
  seconds: number;
  /** Milliseconds from publishing to receiving, where that was asked for. */
  p50: number;
  p99: number;
}

const OPENED_AT_ONCE = 25;
const SETTLED_MS = 1_000;
const PATIENCE_MS = 90_000;
/** How long nothing has to come before the rest is given up. */
const QUIET_MS = 5_000;
const DATA = Buffer.from('data: ');
const SENT_AT = /"message":"(\d+)"/g;

class Group {
  readonly sockets: Socket[] = [];
  delivered = 0;
  lastAt = 0;
  timed = false;
  readonly latencies: number[] = [];

  /** Counts events. A piece may begin in the middle of one: the end of the piece before goes before it. */
  take(piece: Buffer, rest: Buffer): Buffer {
    const bytes = Buffer.concat([rest, piece]);
    for (let at = bytes.indexOf(DATA); at >= 0; at = bytes.indexOf(DATA, at + DATA.length)) this.delivered += 1;
    this.lastAt = performance.now();
    if (this.timed) {
      const now = process.hrtime.bigint();
      for (const [, sent = '0'] of piece.toString('latin1').matchAll(SENT_AT)) {
        this.latencies.push(Number(now - BigInt(sent)) / 1e6);
      }
    }
    return bytes.subarray(-(DATA.length - 1));
  }
}

const groups = new Map<string, Group>();

serveBench('to listen', (request: ListenRequest) => {
  const group = groups.get(request.group) ?? new Group();
  groups.set(request.group, group);
  if ('open' in request) return openAll(group, request.open);
  if ('collect' in request) return collect(group, request.collect, request.timed);
  for (const socket of group.sockets.slice(0, request.pause)) socket.pause();
  return Promise.resolve();
});

async function openAll(group: Group, streams: Array<{ url: string; headers: Record<string, string> }>): Promise<void> {
  for (let from = 0; from < streams.length; from += OPENED_AT_ONCE) {
    await Promise.all(streams.slice(from, from + OPENED_AT_ONCE).map((stream) => open(group, stream)));
  }
  await delay(SETTLED_MS);
}

/** By hand: whatever a client library does with each piece would be counted as the server's slowness. */
async function open(group: Group, { url, headers }: { url: string; headers: Record<string, string> }): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n${lines}\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(head.toString('latin1'));
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => (rest = group.take(piece, rest)));
  socket.on('error', () => undefined);
  group.sockets.push(socket);
}

/** Waits until so many events have come to the group since the last time. */
async function collect(group: Group, events: number, timed: boolean): Promise<Collected> {
  Object.assign(group, { delivered: 0, timed, lastAt: performance.now() });
  group.latencies.length = 0;
  const started = performance.now();
  while (group.delivered < events && performance.now() - started < PATIENCE_MS) {
    await delay(5);
    if (performance.now() - group.lastAt > QUIET_MS) break;
  }
  const { delivered, latencies, lastAt } = group;
  const seconds = (lastAt - started) / 1_000;
  return { delivered, seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}
