export { Platen, type PlatenOptions } from './platen.js';
export { PlatenError, type FieldFault } from './platen-error.js';
export type { JobStreamEvent, StreamEvent, StreamOptions } from './event-stream.js';
export type { CallOptions, DataOf, Method, PathOf } from './operations.js';
export { newIdempotencyKey, type RequestOptions } from './outgoing-request.js';
export type * from './schema.js';
