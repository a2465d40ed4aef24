import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answered, Envelope } from './calls.js';

const exactly = (properties: Record<string, unknown>, optional: Record<string, unknown> = {}) => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
  additionalProperties: false,
});

const NULL = { type: 'null' };
const SENTENCE = { type: 'string', minLength: 1 };
/** A field may be named by an empty text. */
const FIELD_FAULTS = { type: 'array', minItems: 1, items: exactly({ field: { type: 'string' }, message: SENTENCE }) };
const failureOf = (code: Record<string, unknown>) => ({ success: { const: false }, data: NULL, error: SENTENCE, code });

const ajv = new Ajv2020({ allErrors: true });
const success = ajv.compile(exactly({ success: { const: true }, data: {}, error: NULL }));
const failure = ajv.compile(exactly(failureOf({ type: 'string', pattern: '^[A-Z_]+$' }), { details: {} }));
const badRequest = ajv.compile(
  exactly({ ...failureOf({ const: 'VALIDATION_ERROR' }), details: FIELD_FAULTS }),
);

/** What is wrong with the shape that every JSON answer has, whatever its route. */
export function envelopeFaults({ status, json }: Answered): string[] {
  if (!json) return status < 400 || status === 416 ? [] : [`${status} has no envelope`];
  const validate = schemaOf(status, json);
  return validate(json) ? [] : faultsIn(validate);
}

function schemaOf(status: number, { code }: Envelope): ValidateFunction {
  if (status < 400) return success;
  return code === 'VALIDATION_ERROR' ? badRequest : failure;
}

export const faultsIn = ({ errors }: ValidateFunction): string[] =>
  (errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
