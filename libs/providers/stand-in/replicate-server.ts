import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { goodDays, type Call, type CallFault, type ReplicateDials } from './dials.js';
import { pictureOf } from './picture.js';
import { Predictions } from './predictions.js';
import { Webhooks } from './webhooks.js';

interface Answer {
  status: number;
  body: Json;
  headers?: Record<string, string>;
}

const PAGE = 100;
const UNKNOWN: Answer = { status: 404, body: { detail: 'The requested resource could not be found.' } };

/**
 * A stand-in for Replicate: its HTTP API of predictions and files, and, on a port of its own, the host that
 * delivers outputs. `dials` turn good days into bad ones; what was asked is in `calls`.
 */
export class ReplicateServer {
  readonly dials = goodDays();
  readonly calls: string[] = [];
  /** Headers of requests to the host that delivers outputs. */
  readonly deliveries: IncomingMessage['headers'][] = [];
  readonly uploads: Buffer[] = [];
  readonly predictions = new Predictions(this.dials, () => this.apiUrl, () => this.deliveryUrl);
  readonly webhooks = new Webhooks(this.dials, this.predictions);
  private readonly api: Server;
  private readonly delivery: Server;
  private readonly counts = new Map<string, number>();

  private constructor(readonly token: string) {
    this.api = createServer(caught((request, response) => this.answerCall(request, response)));
    this.delivery = createServer(caught((request, response) => {
      this.deliveries.push(request.headers);
      return this.answerFile(request, response);
    }));
  }

  static async start(dials: Partial<ReplicateDials> = {}, token = `r8_${randomBytes(8).toString('hex')}`) {
    const server = new ReplicateServer(token);
    Object.assign(server.dials, dials);
    for (const each of [server.api, server.delivery]) await once(each.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${(this.api.address() as AddressInfo).port}/v1`;
  }

  get deliveryUrl(): string {
    return `http://${this.deliveryHost}`;
  }

  /** To be allowed by name: a stand-in has no public address. */
  get deliveryHost(): string {
    return `127.0.0.1:${(this.delivery.address() as AddressInfo).port}`;
  }

  /** How many calls there were whose line matches. */
  count(pattern: RegExp): number {
    return this.calls.filter((call) => pattern.test(call)).length;
  }

  /** From now on nobody listens there. */
  async vanish(): Promise<void> {
    for (const each of [this.api, this.delivery].filter(({ listening }) => listening)) {
      const closed = once(each, 'close');
      each.close().closeAllConnections();
      await closed;
    }
  }

  async close(): Promise<void> {
    this.webhooks.close();
    await this.vanish();
  }

  private async answerCall(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const path = url.replace(/^\/v1\//, '');
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      return send(response, { status: 401, body: { title: 'Unauthenticated', detail: 'You did not pass a token' } });
    }
    if (method === 'GET' && path.startsWith('files/')) return this.answerFile(request, response);
    const fault = this.dials.onCall(this.note(method, path));
    const body = await buffer(request);
    if (fault === 'hang') return;
    if (method === 'POST') await sleep(this.dials.createMs);
    const refusal = refusalOf(fault);
    const answer = refusal ?? this.do(method, path, body, request.headers);
    if (fault === 'doubled') this.do(method, path, body, request.headers);
    await sleep(latenessOf(fault));
    if (fault === 'lost') return void response.destroy();
    if (fault === 'garbled') return void response.end('<html>');
    send(response, answer);
  }

  private note(method: string, path: string): Call {
    const name = `${method} ${path}`;
    this.calls.push(name);
    const before = this.counts.get(name) ?? 0;
    this.counts.set(name, before + 1);
    return { method, path, before };
  }

  private do(method: string, path: string, body: Buffer, headers: IncomingMessage['headers']): Answer {
    const [name = '', query] = path.split('?');
    if (method === 'GET' && name === 'predictions') return this.list(Number(new URLSearchParams(query).get('cursor')));
    const [, model, id, verb] = /^(?:models\/(.+)\/)?predictions(?:\/(\w+))?(?:\/(cancel))?$/.exec(name) ?? [];
    if (method === 'POST' && name === 'files') return this.takeFile(body);
    if (method === 'POST' && name.endsWith('predictions')) return this.create(model, JSON.parse(String(body)) as JsonObject, headers);
    if (id === undefined || !this.predictions.show(id)) return UNKNOWN;
    if (verb === 'cancel') this.predictions.cancel(id);
    return { status: 200, body: this.predictions.show(id) as Json };
  }

  private create(official: string | undefined, body: JsonObject, headers: IncomingMessage['headers']): Answer {
    const { version, input, webhook, webhook_events_filter: _filter, ...unknown } = body;
    const refused = Object.keys(input as JsonObject).find((key) => this.dials.inputNames?.includes(key) === false);
    if (Object.keys(unknown).length > 0) return invalid(Object.keys(unknown)[0] as string, 'is not allowed');
    if ((official === undefined) === (version === undefined)) return invalid('version', 'is required');
    if (refused !== undefined) return invalid(`input.${refused}`, 'secret detail of the schema');
    const [model, hex = 'hidden'] = official !== undefined ? [official] : namesIn(String(version));
    const id = this.predictions.create({
      model, version: hex, input: input as JsonObject,
      webhook: typeof webhook === 'string' ? webhook : null,
      lifetimeMs: millisecondsOf(headers['cancel-after']),
    });
    if (typeof webhook === 'string') this.webhooks.begin({ id, model, input: input as JsonObject }, webhook);
    return { status: 201, body: this.predictions.show(id) as Json };
  }

  private list(from: number): Answer {
    const next = from + PAGE < this.predictions.size ? `${this.apiUrl}/predictions?cursor=${from + PAGE}` : null;
    return { status: 200, body: { previous: null, next, results: this.predictions.page(from, PAGE) } };
  }

  private takeFile(body: Buffer): Answer {
    this.uploads.push(body);
    const id = randomUUID();
    return { status: 201, body: { id, size: body.length, urls: { get: `${this.apiUrl}/files/${id}` } } };
  }

  /** A picture that its URL decides. */
  private async answerFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.dials.onFile(this.note('GET', (request.url ?? '').replace(/^\/v1\//, '')));
    if (fault && 'status' in fault) return void response.writeHead(fault.status).end();
    const bytes = await pictureOf(request.url ?? '', this.dials.pictureSize);
    const from = fault?.hasRanges === false ? 0 : startIn(request.headers.range);
    const length = { 'content-type': 'image/png', 'content-length': bytes.length - from };
    const range = from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { ...length, ...range });
    if (!fault) return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, from + fault.cutAfter), () => setTimeout(() => response.destroy(), 10));
  }
}

const startIn = (range: string | undefined): number => Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);

const caught = (answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener =>
  (request, response) => void answer(request, response).catch(() => response.destroy());

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const isLate = (fault: CallFault): fault is { answeredAfterMs: number } =>
  fault !== null && typeof fault === 'object' && 'answeredAfterMs' in fault;

const latenessOf = (fault: CallFault): number => (isLate(fault) ? fault.answeredAfterMs : 0);

function refusalOf(fault: CallFault): Answer | undefined {
  if (fault === null || typeof fault === 'string' || isLate(fault)) return undefined;
  if ('status' in fault) return { status: fault.status, body: { detail: fault.detail ?? 'secret detail' } };
  const { retryAfter, inDetail } = fault;
  const rest = inDetail === undefined ? '' : ` Your rate limit resets in ~${inDetail}s.`;
  const header = retryAfter !== undefined && { headers: { 'retry-after': String(retryAfter) } };
  return { status: 429, body: { detail: `Request was throttled.${rest}` }, ...header };
}

const invalid = (field: string, description: string): Answer => ({
  status: 422,
  body: {
    title: 'Input validation failed', detail: `- ${field}: ${description}\n`, status: 422,
    invalid_fields: [{ type: 'invalid', field, description }],
  },
});

function namesIn(version: string): [model: string, version: string] {
  const [name = '', hex] = version.split(':');
  if (hex !== undefined) return [name, hex];
  return name.includes('/') ? [name, 'hidden'] : ['owner/name', name];
}

/** Of `1h12m4s`. */
function millisecondsOf(duration: string | string[] | undefined): number | null {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(String(duration)) ?? [];
  return duration === undefined ? null : (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}
