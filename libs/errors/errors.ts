import { AppError, type FieldFault } from './app-error.js';
import { faultsToTell } from './faults-to-tell.js';

/** One factory per failure: code, HTTP status and public sentence stand together, once. */

export const validationError = (faults: FieldFault[]) =>
  new AppError('VALIDATION_ERROR', 400, 'Invalid request body', faultsToTell(faults));

export const fieldError = (field: string, message: string) => validationError([{ field, message }]);

export const unauthenticated = (message = 'Authentication required') =>
  new AppError('UNAUTHENTICATED', 401, message);

export const forbidden = () => new AppError('FORBIDDEN', 403, 'Forbidden');

/** Of the two-step face, which tells that another's record exists. */
export const unauthorized = () => new AppError('UNAUTHORIZED', 403, 'Unauthorized');

export const invalidSignature = () =>
  new AppError('INVALID_SIGNATURE', 401, 'The webhook is not signed as it must be');

export const insufficientCredits = (details: {
  required: number;
  available: number;
  cost_breakdown: unknown;
}) => new AppError('INSUFFICIENT_CREDITS', 402, 'Insufficient credits', details);

export const workflowNotFound = () =>
  new AppError('WORKFLOW_NOT_FOUND', 404, 'Workflow not found');
export const projectNotFound = () => new AppError('PROJECT_NOT_FOUND', 404, 'Project not found');
export const collectionNotFound = () =>
  new AppError('COLLECTION_NOT_FOUND', 404, 'Collection not found');
export const jobNotFound = () => new AppError('JOB_NOT_FOUND', 404, 'Job not found');
export const generationNotFound = () =>
  new AppError('GENERATION_NOT_FOUND', 404, 'Generation not found');
export const notFound = (what = 'Resource') => new AppError('NOT_FOUND', 404, `${what} not found`);

/** The record is there, the bytes are not. */
export const fileMissing = () => new AppError('NOT_FOUND', 404, 'The file is missing in the storage');

/** `missing`: the field that would make it executable. */
export const workflowNotExecutable = (missing?: string) =>
  new AppError(
    'WORKFLOW_NOT_EXECUTABLE',
    400,
    'Workflow type not supported for generation',
    missing ? [{ field: missing, message: 'is not set on the workflow' }] : undefined,
  );

export const invalidJobStatus = (message: string) =>
  new AppError('INVALID_JOB_STATUS', 409, message);

export const invalidGenerationStatus = (message: string) =>
  new AppError('INVALID_GENERATION_STATUS', 409, message);

export const collectionNotPublishable = (message: string) =>
  new AppError('COLLECTION_NOT_PUBLISHABLE', 409, message);

export const nameTaken = (name: string) =>
  new AppError('NAME_TAKEN', 409, `The name "${name}" is taken`);

/** `details`: the pause that is in force. */
export const alreadyPaused = (details: object) =>
  new AppError('ALREADY_PAUSED', 409, 'It is paused already: lift that pause first', details);

/** `taken` of the `editions` are finished or under way, and there would be `more`. */
export const editionsExhausted = ({ editions, taken, more }: { editions: number; taken: number; more: number }) =>
  new AppError(
    'EDITIONS_EXHAUSTED',
    409,
    more === 0
      ? `${taken} editions of the collection exist or are under way: they do not fit into ${editions}`
      : `The collection has ${editions} editions, ${taken} of them exist or are under way: ${more} more do not fit`,
  );

export const idempotencyInProgress = () =>
  new AppError(
    'IDEMPOTENCY_IN_PROGRESS',
    409,
    'The first request with this Idempotency-Key is still running',
    undefined,
    5,
  );

export const idempotencyKeyReused = () =>
  new AppError(
    'IDEMPOTENCY_KEY_REUSED',
    422,
    'This Idempotency-Key was used with a different request',
  );

export const modelUnavailable = (models: Array<{ kind: string; name: string }>) =>
  new AppError(
    'MODEL_UNAVAILABLE',
    409,
    `No server has ${models.map(({ name }) => name).join(', ')}`,
    models.map(({ kind, name }) => ({ kind, name })),
  );

export const notRepeatable = (details: Array<{ step_id: string | null; node: string | null; message: string }>) =>
  new AppError('NOT_REPEATABLE', 409, 'This file cannot be made again', details);

export const payloadTooLarge = (message = 'Payload too large') =>
  new AppError('PAYLOAD_TOO_LARGE', 413, message);

export const unsupportedMediaType = (message = 'Unsupported media type') =>
  new AppError('UNSUPPORTED_MEDIA_TYPE', 415, message);

export const rateLimited = (retryAfterSeconds: number) =>
  new AppError(
    'RATE_LIMITED',
    429,
    `Rate limit exceeded. Try again in ${retryAfterSeconds} seconds.`,
    undefined,
    retryAfterSeconds,
  );

export const tooManyInflight = (limit: number) =>
  new AppError('TOO_MANY_INFLIGHT', 429, `Too many open generations (limit ${limit})`, { limit }, 5);

export const limitExceeded = (details: { plan: string; limit: number; used: number; resets_at: string }) =>
  new AppError('LIMIT_EXCEEDED', 402, `The plan's ${details.limit} generations of this month are used up`, details);

export const storageQuotaExceeded = (details: { limit: number; used: number }) =>
  new AppError('STORAGE_QUOTA_EXCEEDED', 402, 'Storage quota exceeded', details);

export const upstreamError = (message = 'An upstream service failed') =>
  new AppError('UPSTREAM_ERROR', 502, message);

export const serviceUnavailable = () =>
  new AppError('SERVICE_UNAVAILABLE', 503, 'Service temporarily unavailable', undefined, 5);

export const internalError = () => new AppError('INTERNAL_ERROR', 500, 'Internal server error');
