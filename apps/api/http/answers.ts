import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { ErrorCode } from '#libs/errors/app-error.js';
import { STATUS_OF } from './error-status.js';

export interface AnswerShape {
  /** Default 200. */
  status?: number;
  /** Class of `data`; absent: `null`. */
  data?: Type;
  /** `data` is a page of these. */
  pageOf?: Type;
  /** A media type in which it is also given, without the envelope, to whoever accepts that. */
  also?: string;
  /** Codes of this route, beside those that every route of its policy has. */
  errors?: ErrorCode[];
}

type Schema = Record<string, unknown>;

const envelopeOf = (data: Schema): Schema => ({
  type: 'object',
  required: ['success', 'data', 'error'],
  properties: { success: { const: true }, data, error: { type: 'null' } },
});

const pageOf = (item: Schema): Schema => ({
  type: 'object',
  required: ['items', 'next_cursor'],
  properties: { items: { type: 'array', items: item }, next_cursor: { type: ['string', 'null'] } },
});

/** The failure envelope with one of these codes. */
export const failureOf = (codes: ErrorCode[]): Schema => ({
  allOf: [
    { $ref: '#/components/schemas/Failure' },
    { type: 'object', properties: { code: { enum: codes } } },
  ],
});

/** What a route answers, for OpenAPI, and its success status. The envelope is put around it. */
export function Answers({ status = 200, data, pageOf: item, also, errors = [] }: AnswerShape) {
  const model = data ?? item;
  const reference: Schema = model ? { $ref: getSchemaPath(model) } : { type: 'null' };
  const content = {
    'application/json': { schema: envelopeOf(item ? pageOf(reference) : reference) },
    ...(also && { [also]: { schema: { type: 'string', format: 'binary' } } }),
  };
  return applyDecorators(
    HttpCode(status),
    ...(model ? [ApiExtraModels(model)] : []),
    ApiResponse({ status, description: 'Success', content }),
    ApiErrors(...errors),
  );
}

/** Error codes of a route, for OpenAPI: one response for each status. */
export function ApiErrors(...codes: ErrorCode[]) {
  const statuses = [...new Set(codes.map((code) => STATUS_OF[code]))];
  return applyDecorators(
    ...statuses.map((status) => {
      const own = codes.filter((code) => STATUS_OF[code] === status);
      return ApiResponse({ status, description: own.join(', '), schema: failureOf(own) });
    }),
  );
}

/** A field that holds a text, a number or a boolean, for OpenAPI. */
export const ApiScalar = () => ApiProperty({ oneOf: ['string', 'number', 'boolean'].map((type) => ({ type })) });

/** An optional field that holds any JSON, for OpenAPI. */
export const ApiAnyJson = () => ApiProperty({ required: false, anyOf: [{}] });

export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** `Idempotency-Key` of a creating route, for OpenAPI. */
export function ApiIdempotencyKey() {
  return ApiHeader({
    name: IDEMPOTENCY_KEY,
    required: false,
    description:
      'Makes the request safe to repeat for 24 hours: the same key and body get the first answer again, ' +
      'with `Idempotency-Replayed: true`; another body gets 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  });
}
