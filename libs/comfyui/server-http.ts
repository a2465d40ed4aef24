import type { Readable } from 'node:stream';
import { Agent, FormData, type Dispatcher } from 'undici';
import { ServerUnreachable } from './comfy-error.js';
import type { ServerAddress } from './server-address.js';

const CONNECT_MS = 3_000;
/** Between two parts of a file. */
const BODY_MS = 60_000;
const CONNECTIONS = 8;
/** Of an answer that is read whole; `/object_info` of a server with many custom nodes is some 20 MB. */
const MAX_JSON_BYTES = 64 * 1024 ** 2;

export interface ServerRequest {
  method?: 'GET' | 'POST';
  /** Sent as JSON, but a form. */
  body?: unknown;
  headers?: Record<string, string>;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ServerAnswer {
  status: number;
  /** Undefined where the answer is no JSON. */
  json: unknown;
}

/**
 * HTTP with one server. Operators configure servers, so unlike users' URLs they may be anywhere; no `Origin` is
 * sent, which servers on loopback refuse. Whatever keeps an answer away is `ServerUnreachable`.
 */
export class ServerHttp {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_MS }, connections: CONNECTIONS, keepAliveTimeout: 4_000,
  });

  /** `answerMs`: how long an answer may take that is not given a time of its own. */
  constructor(
    readonly address: ServerAddress,
    private readonly answerMs: number,
  ) {}

  async request(path: string, request: ServerRequest = {}): Promise<ServerAnswer> {
    const { statusCode: status, body } = await this.send(path, request);
    const text = await limitedText(body).catch((error: Error) => {
      throw this.unreachable(error.message);
    });
    return { status, json: parsed(text) };
  }

  /** The JSON of an answer with status 200; null for 404. Any other status is no answer. */
  async get(path: string, request: ServerRequest = {}): Promise<unknown> {
    const { status, json } = await this.request(path, request);
    if (status === 404) return null;
    if (status !== 200 || json === undefined) throw this.unreachable(`GET ${path} was answered with status ${status}`);
    return json;
  }

  /** A file from an offset on. Resolves when the headers are there; the body is to be read or destroyed. */
  async open(path: string, from = 0): Promise<{ status: number; length: number | null; body: Readable }> {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const { statusCode: status, headers: given, body } = await this.send(path, { headers, timeoutMs: 0 });
    const length = Number(given['content-length'] ?? NaN);
    return { status, length: Number.isInteger(length) ? length : null, body };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async send(path: string, request: ServerRequest): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', body, headers, timeoutMs = this.answerMs, signal } = request;
    const limits = [signal, timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined];
    const isForm = body instanceof FormData;
    try {
      return await this.agent.request({
        origin: this.address.origin,
        path: this.address.path + path,
        method,
        headers: {
          ...this.address.headers, ...headers,
          ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        },
        body: isForm ? body : (JSON.stringify(body) ?? null),
        signal: AbortSignal.any(limits.filter((limit) => limit !== undefined)),
        headersTimeout: timeoutMs || this.answerMs,
        bodyTimeout: BODY_MS,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.unreachable((error as Error).message);
    }
  }

  unreachable(reason: string): ServerUnreachable {
    return new ServerUnreachable(this.address.name, reason);
  }
}

async function limitedText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw new Error('The answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
