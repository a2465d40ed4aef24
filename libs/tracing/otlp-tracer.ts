import { createHash } from 'node:crypto';
import {
  diag, DiagLogLevel, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Link, type Span, type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace-base';
import type { OpenSpan, SpanPlan, Tracer } from './spans.js';

const EXPORT_TIMEOUT_MS = 5_000;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

export interface OtlpOptions {
  /** Of a collector that speaks OTLP over HTTP; `/v1/traces` is added. */
  endpoint: string;
  service: string;
  version: string;
  instance: string;
  /** Told whenever a batch could not be sent. */
  onError?: (reason: string) => void;
}

/**
 * Makes spans with OpenTelemetry's SDK and sends them in batches, as JSON. What cannot be sent is dropped. The SDK
 * itself reads the standard variables of samplers, headers and batches.
 */
export class OtlpTracer implements Tracer {
  private readonly ids = new KeyedIds();
  private readonly provider: BasicTracerProvider;
  private readonly onError: (reason: string) => void;

  constructor({ endpoint, service, version, instance, onError = ignore }: OtlpOptions) {
    this.onError = onError;
    // The SDK tells of lost batches nowhere else.
    diag.setLogger(
      { error: onError, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
      { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
    );
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
    this.provider = new BasicTracerProvider({
      idGenerator: this.ids,
      resource: resourceFromAttributes({
        'service.name': service, 'service.version': version, 'service.instance.id': instance,
      }),
      spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
    });
  }

  start({ name, parent, server, key, continues, attributes = {} }: SpanPlan): OpenSpan {
    const parentContext = parent === undefined ? undefined : spanContextOf(parent);
    const context = parentContext ? trace.setSpanContext(ROOT_CONTEXT, parentContext) : ROOT_CONTEXT;
    const links = parentContext && continues !== undefined ? [linkTo(parentContext, continues)] : [];
    this.ids.key = key;
    const kind = server ? SpanKind.SERVER : SpanKind.INTERNAL;
    return opened(this.provider.getTracer('platen').startSpan(name, { kind, links, attributes }, context));
  }

  /** Sends what is left, for a few seconds at most. */
  async close(): Promise<void> {
    await this.provider.shutdown().catch((error: unknown) => this.onError(String(error)));
    diag.disable();
  }
}

const ignore = (): void => undefined;

/** Ids by chance, but for spans that have a key. */
class KeyedIds implements IdGenerator {
  /** Of the span that is started next. */
  key: string | undefined;
  private readonly random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.random.generateTraceId();
  }

  generateSpanId(): string {
    return this.key === undefined ? this.random.generateSpanId() : spanIdOf(this.key);
  }
}

const spanIdOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 16);

const linkTo = (context: SpanContext, key: string): Link => ({ context: { ...context, spanId: spanIdOf(key) } });

/** Undefined: it is none. Whoever calls from outside may send anything. */
function spanContextOf(traceparent: string): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

function opened(span: Span): OpenSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
    end: ({ failure, attributes } = {}) => {
      if (attributes) span.setAttributes(attributes);
      if (failure !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure }).setAttribute('error.type', failure);
      }
      span.end();
    },
  };
}
