import type { Readable } from 'node:stream';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import { inputFault, NodeError, worldFault } from '#libs/nodes/node.js';
import type { OutboundAnswer, OutboundClient } from '#libs/outbound/outbound-client.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import { retryAfterMs } from '#libs/outbound/retry-after.js';
import type { ApiMethod } from './api-call.js';

/** Of JSON or text: images come in it as base64. */
const MAX_TEXT_BYTES = 24 * 1024 ** 2;
const MAX_FILE_BYTES = 2 * 1024 ** 3;
/** For the body, once its first bytes are there. */
const BODY_MS = 10 * 60_000;
const MAX_RETRY_AFTER_MS = 10 * 60_000;
/** Statuses that say "not now". */
const LATER = new Set([408, 425, 429]);

export interface ApiRequest {
  url: string;
  method: ApiMethod;
  headers: Record<string, string>;
  body?: string;
  /** Until the answer begins. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** JSON or text; a file's bytes stay a stream, to be read or destroyed. */
export type ApiAnswer = { status: number } & ({ data: Json } | { file: Readable });

/** There was no answer, so nobody knows whether the call was heard. */
export class NoAnswer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoAnswer';
  }
}

/** The service's fault, for good: to call it again would be another call, and may cost again. */
export const upstreamFault = (message: string) => new NodeError('UPSTREAM_ERROR', message, true);

/** Calls APIs through the guarded client, and says whose fault it is when that fails. */
export class ApiClient {
  constructor(private readonly outbound: OutboundClient) {}

  /**
   * The answer, if `isExpected` takes its status. Throws `NoAnswer`, a `NodeError` (the input's fault for 4xx, the
   * world's for 429 and 5xx), or the signal's reason.
   */
  async call(request: ApiRequest, isExpected: (status: number) => boolean): Promise<ApiAnswer> {
    const { url, method, headers, body, timeoutMs, signal } = request;
    try {
      const answer = await this.outbound.request(url, {
        method, headers, signal, headersMs: timeoutMs, totalMs: timeoutMs + BODY_MS, maxBytes: MAX_FILE_BYTES,
        ...(body !== undefined && { body }),
      });
      if (!isExpected(answer.status)) throw refusal(answer);
      return await this.read(answer);
    } catch (error) {
      throw error instanceof OutboundError ? unanswered(error) : error;
    }
  }

  private async read(answer: OutboundAnswer): Promise<ApiAnswer> {
    const { status, body, headers } = answer;
    const type = mediaType(headers['content-type']);
    if (isFile(type)) return { status, file: body };
    const text = await textOf(body);
    return { status, data: isJson(type) || /^\s*[[{]/.test(text) ? parsed(text) : text };
  }
}

const mediaType = (header: string | undefined): string => header?.split(';')[0]?.trim().toLowerCase() ?? '';
const isJson = (type: string): boolean => type === 'application/json' || type.endsWith('+json');
const isFile = (type: string): boolean =>
  /^(image|video|audio|model|font)\//.test(type) || ['application/octet-stream', 'application/zip', 'application/pdf'].includes(type);

function parsed(text: string): Json {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw upstreamFault('The API answered with what is not JSON');
  }
}

function unanswered(error: OutboundError): Error {
  if (!error.permanent) return new NoAnswer(`The API did not answer: ${error.message}`);
  // Its URL is the author's; what came back is the service's.
  const message = `The API cannot be called: ${error.message}`;
  return ['url', 'address'].includes(error.reason) ? inputFault('INVALID_URL', message) : upstreamFault(message);
}

/** What the service says of it may hold its author's secrets, or what others asked for: none of it is told. */
function refusal({ status, headers, body }: OutboundAnswer): NodeError {
  body.destroy();
  const message = `The API answered with status ${status}`;
  if (status >= 500 || LATER.has(status)) {
    return worldFault('UPSTREAM_ERROR', message, pauseOf(headers));
  }
  return status >= 400 ? inputFault('UPSTREAM_REFUSED', message) : upstreamFault(message);
}

function pauseOf({ 'retry-after': header }: OutboundAnswer['headers']): number | undefined {
  const asked = retryAfterMs(header);
  return asked === undefined ? undefined : Math.min(MAX_RETRY_AFTER_MS, asked);
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_TEXT_BYTES) throw upstreamFault(`The API answered with more than ${MAX_TEXT_BYTES / 1024 ** 2} MiB of text`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
