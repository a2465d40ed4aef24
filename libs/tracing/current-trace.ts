import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string>();

/** The span that this call runs in, as a W3C `traceparent`; undefined when nothing is traced. */
export const currentTrace = (): string | undefined => current.getStore();

/** Runs `work`, and all that it begins, within a span. */
export const withinTrace = <Result>(traceparent: string, work: () => Result): Result => current.run(traceparent, work);
