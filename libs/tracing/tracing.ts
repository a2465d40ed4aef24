import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createLogger } from '#libs/backing-services/logger.js';
import type { Environment } from '#libs/config/environment.js';
import { RELEASE } from '#libs/config/release.js';
import { traceWith } from './spans.js';

const REASON_LENGTH = 300;

/** Parts of this process that want traces: the all-in-one mode has two, and one tracer. */
let users = 0;
let started: Promise<{ close(): Promise<void> }> | undefined;

/**
 * Begins to trace when there is somewhere to send traces to; else nothing is loaded. Returns the way to end it, which
 * sends what is left.
 */
export async function startTracing(
  environment: Pick<Environment, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_SERVICE_NAME' | 'LOG_LEVEL'>,
): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: service } = environment;
  if (endpoint === undefined) return async () => undefined;
  users += 1;
  started ??= load(endpoint, service, createLogger(environment));
  await started;
  return stopTracing;
}

async function load(endpoint: string, service: string, log: Logger): Promise<{ close(): Promise<void> }> {
  const { OtlpTracer } = await import('./otlp-tracer.js');
  const instance = `${hostname()}-${process.pid}`;
  const onError = (reason: string) => log.warn({ reason: reason.slice(0, REASON_LENGTH) }, 'traces could not be sent');
  const tracer = new OtlpTracer({ endpoint, service, version: RELEASE, instance, onError });
  traceWith(tracer);
  return tracer;
}

async function stopTracing(): Promise<void> {
  users -= 1;
  if (users > 0) return;
  const tracer = await started;
  started = undefined;
  traceWith(undefined);
  await tracer?.close();
}
