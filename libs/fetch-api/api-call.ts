import type { JsonSchema } from '#libs/nodes/node.js';
import { boundedList } from '#libs/instruction-set/json-schema.js';

export const API_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type ApiMethod = (typeof API_METHODS)[number];

/**
 * How the result comes: in the answer to the call (`response`; `wait`: one that takes minutes), by asking again
 * (`polling`), or by a call of ours (`webhook`).
 */
export const FETCH_TYPES = ['response', 'wait', 'polling', 'webhook'] as const;
export type FetchType = (typeof FETCH_TYPES)[number];

/** Where in an answer the result is. */
export interface ResultPart {
  /** jq over the answer's JSON. Default: all of it. */
  outputExprJq?: string | null;
  /** Milliseconds that the result may take. */
  timeout?: number | null;
}

/** How the result is asked after. */
export interface PollingPart extends ResultPart {
  method?: ApiMethod | null;
  /** `{name}` stands for a parameter. */
  url: string;
  /** Default: those of the call. */
  headers?: Record<string, string> | null;
  /** jq over the answer to the call. */
  params?: Record<string, { exprJq: string }> | null;
  /** Milliseconds between two questions. */
  interval?: number | null;
  /** JavaScript over `data`, the answer: whether it is to be asked again. */
  continueWhenExpr?: string | null;
  /** JavaScript over `data`: whether the result is there. */
  stopWhenExpr?: string | null;
  successResponseCode?: number | number[] | null;
}

/** A call of another service, as its author writes it. */
export interface ApiCall {
  url: string;
  method?: ApiMethod | null;
  /** `{{NAME}}` stands for a secret of the author, `{{webhook_url}}` for where the result is to be sent. */
  headers?: Record<string, string> | null;
  /** Statuses that are a success. Default: 200 to 299. */
  successResponseCode?: number | number[] | null;
  fetchType?: FetchType | null;
  response?: ResultPart | null;
  wait?: ResultPart | null;
  webhook?: ResultPart | null;
  polling?: PollingPart | null;
}

export const fetchTypeOf = ({ fetchType }: ApiCall): FetchType => fetchType ?? 'response';
export const methodOf = ({ method, fetchType }: ApiCall, body: unknown): ApiMethod =>
  method ?? (body === undefined && fetchType !== 'webhook' ? 'GET' : 'POST');

/** Whether a status is one of those that the author expects. */
export function isSuccess(status: number, expected: ApiCall['successResponseCode']): boolean {
  if (expected === undefined || expected === null) return status >= 200 && status < 300;
  return [expected].flat().includes(status);
}

const PROGRAM: JsonSchema = { type: ['string', 'null'], minLength: 1, maxLength: 4_000 };
const URL_TEXT: JsonSchema = { type: 'string', minLength: 1, maxLength: 2_000 };
const METHOD: JsonSchema = { enum: [...API_METHODS, null] };
const HEADERS: JsonSchema = {
  type: ['object', 'null'],
  maxProperties: 50,
  propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$" },
  additionalProperties: { type: 'string', maxLength: 4_096, pattern: '^[\\t\\u0020-\\u007e\\u0080-\\u00ff]*$' },
};
const CODE: JsonSchema = { type: 'integer', minimum: 100, maximum: 599 };
const CODES: JsonSchema = boundedList(20, CODE, { ...CODE, type: ['integer', 'array', 'null'], minItems: 1 });
const DURATION: JsonSchema = { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 86_400_000 };
const RESULT = { outputExprJq: PROGRAM, timeout: DURATION };

const part = (properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema => ({
  type: ['object', 'null'], additionalProperties: false, required, properties,
});

/** The shape of `data.api`. */
export const API_CALL: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: URL_TEXT,
    method: METHOD,
    headers: HEADERS,
    successResponseCode: CODES,
    fetchType: { enum: [...FETCH_TYPES, null] },
    response: part(RESULT),
    wait: part(RESULT),
    webhook: part(RESULT),
    polling: part(
      {
        ...RESULT,
        method: METHOD,
        url: URL_TEXT,
        headers: HEADERS,
        params: {
          type: ['object', 'null'],
          maxProperties: 20,
          propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,50}$' },
          additionalProperties: {
            type: 'object', required: ['exprJq'], additionalProperties: false,
            properties: { exprJq: { ...PROGRAM, type: 'string' } },
          },
        },
        interval: DURATION,
        continueWhenExpr: PROGRAM,
        stopWhenExpr: PROGRAM,
        successResponseCode: CODES,
      },
      ['url'],
    ),
  },
};
