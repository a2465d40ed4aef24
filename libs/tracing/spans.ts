import { currentTrace, withinTrace } from './current-trace.js';

export type Attributes = Record<string, string | number | boolean>;

export interface SpanPlan {
  name: string;
  /** What it is part of, as a W3C `traceparent`. Default: the span that the call runs in. */
  parent?: string;
  /** Without a parent it begins a trace; else there is no span then. */
  root?: boolean;
  /** Of a request that came in, rather than of work of our own. */
  server?: boolean;
  /** Makes the span's id, so that whoever goes on from it, in whatever process, can name it. */
  key?: string;
  /** The key of the span that this one goes on from, in the same trace. */
  continues?: string | undefined;
  attributes?: Attributes;
}

export interface OpenSpan {
  readonly traceparent: string;
  /** `failure`: its code, where it failed. */
  end(result?: { failure?: string; attributes?: Attributes }): void;
}

/** Makes spans. One per process, and only where traces are wanted. */
export interface Tracer {
  start(plan: SpanPlan): OpenSpan;
}

let tracer: Tracer | undefined;

/** From here on there are spans; with `undefined` no more. */
export function traceWith(one: Tracer | undefined): void {
  tracer = one;
}

export const isTracing = (): boolean => tracer !== undefined;

/** Begins a span that its caller ends. Undefined when nothing is traced, or it would be part of nothing. */
export function openSpan(plan: SpanPlan): OpenSpan | undefined {
  const parent = plan.parent ?? currentTrace();
  if (!tracer || (parent === undefined && !plan.root)) return undefined;
  return tracer.start({ ...plan, ...(parent !== undefined && { parent }) });
}

/** Runs `work` as a span. When nothing is traced this is one comparison. */
export async function inSpan<Result>(plan: () => SpanPlan, work: () => Promise<Result>): Promise<Result> {
  const span = tracer && openSpan(plan());
  if (!span) return work();
  try {
    const result = await withinTrace(span.traceparent, work);
    span.end();
    return result;
  } catch (error) {
    span.end({ failure: codeOf(error) });
    throw error;
  }
}

/** Never its message: that may quote what users wrote. */
const codeOf = (error: unknown): string =>
  error instanceof Error ? String((error as { code?: unknown }).code ?? error.name) : typeof error;
