import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Value = { stringValue?: string; intValue?: number; boolValue?: boolean };

/** A span as OTLP's JSON has it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Array<{ key: string; value: Value }>;
  links?: Array<{ traceId: string; spanId: string }>;
  status?: { code?: number; message?: string };
}

interface Export {
  resourceSpans: Array<{
    resource: { attributes: ReceivedSpan['attributes'] };
    scopeSpans: Array<{ spans: ReceivedSpan[] }>;
  }>;
}

/** What an OpenTelemetry collector takes in: spans by OTLP over HTTP, as JSON. */
export class TraceCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly services = new Set<string | undefined>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TraceCollector> {
    const server = createServer();
    const collector = new TraceCollector(server);
    server.on('request', (request, reply) => {
      void collector.take(request).then((status) => reply.writeHead(status, { 'content-type': 'application/json' }).end('{}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  attributesOf({ attributes }: Pick<ReceivedSpan, 'attributes'>): Record<string, unknown> {
    return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async take(request: IncomingMessage): Promise<number> {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return 404;
    const { resourceSpans } = JSON.parse(await text(request)) as Export;
    for (const { resource, scopeSpans } of resourceSpans) {
      this.services.add(this.attributesOf(resource)['service.name'] as string | undefined);
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
    return 200;
  }
}
