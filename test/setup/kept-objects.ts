import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a cloud of the tests calls the failure of a request. */
export class CloudFault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export interface KeptObject {
  bytes: Buffer;
  /** Another one for each put. */
  version: string;
  modifiedAt: Date;
  /** `content-type` and the like. */
  headers: Record<string, string>;
}

/** The objects of one bucket, in memory. They appear and change as a whole. */
export class KeptObjects extends Map<string, KeptObject> {
  keep(key: string, bytes: Buffer, headers: Record<string, string>): KeptObject {
    const object = { bytes, version: String(BigInt(`0x${randomUUID().slice(0, 8)}`)), modifiedAt: new Date(), headers };
    this.set(key, object);
    return object;
  }

  found(key: string): KeptObject {
    const object = this.get(key);
    if (!object) throw new CloudFault(404, 'NotFound');
    return object;
  }

  /** In the order of their keys, the first one from `from` on. */
  page(prefix: string, from: string, limit: number): [string, KeptObject][] {
    return [...this]
      .filter(([key]) => key.startsWith(prefix) && key >= from)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit);
  }
}

/** Answers with an object, or the part of it that the request asks for. */
export function give(object: KeptObject, request: IncomingMessage, response: ServerResponse, range?: string): void {
  const { bytes, headers } = object;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first !== undefined && Number(first) >= bytes.length) throw new CloudFault(416, 'InvalidRange');
  const part = first === undefined ? bytes : bytes.subarray(Number(first), last ? Number(last) + 1 : undefined);
  for (const [name, value] of Object.entries(headers)) {
    if (!response.hasHeader(name)) response.setHeader(name, value);
  }
  response.setHeader('content-length', part.length);
  if (first !== undefined) {
    response.setHeader('content-range', `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`);
  }
  response.writeHead(first === undefined ? 200 : 206).end(request.method === 'HEAD' ? undefined : part);
}

export interface Loopback {
  url: string;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** An HTTP server of the tests; `refuse` says a `CloudFault` in the words of its cloud. */
export async function listen(
  answer: Answer,
  refuse: (fault: CloudFault, response: ServerResponse, request: IncomingMessage) => void,
): Promise<Loopback> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      response.setHeader('connection', 'close');
      refuse(error instanceof CloudFault ? error : new CloudFault(500, 'InternalError'), response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close().closeAllConnections();
      await closed;
    },
  };
}
