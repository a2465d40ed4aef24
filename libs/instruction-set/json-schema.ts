import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldPath, joinPath } from './field-path.js';

/**
 * A validator of JSON-shaped data (draft 2020-12) that tells every fault and fills in defaults.
 * `ownProperties`: a field named `constructor` is missing when it is not the data's own.
 */
export function createValidator(options: Options = {}): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    ownProperties: true,
    strict: false,
    multipleOfPrecision: 6,
    // Errors then carry their schema, which words the messages.
    verbose: true,
    ...options,
  });
  addFormats.default(ajv, ['uri', 'uuid']);
  return ajv;
}

/** Faults of the last run of `validate`, with dotted paths below `parent`. */
export function schemaFaults(validate: ValidateFunction, parent = ''): FieldFault[] {
  const errors = validate.errors ?? [];
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  return errors
    .filter((error) => !choices.some((choice) => isBranchOf(choice, error)))
    .map((error) => ({ field: joinPath(parent, fieldPath(segmentsOf(error))), message: messageOf(error) }));
}

/** Why a value is none of the choices is said once; what is wrong further down in one of them is kept. */
const isBranchOf = (choice: ErrorObject, error: ErrorObject): boolean =>
  error.instancePath === choice.instancePath && error.schemaPath.startsWith(`${choice.schemaPath}/`);

function segmentsOf({ instancePath, params }: ErrorObject): string[] {
  const segments = instancePath.split('/').slice(1).map(unescape);
  const member: unknown = params['additionalProperty'] ?? params['missingProperty'];
  return typeof member === 'string' ? [...segments, member] : segments;
}

const unescape = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~');

/** Messages of keywords that ajv words for programmers. */
const MESSAGES: Record<string, (error: ErrorObject) => string | undefined> = {
  required: () => 'Required field missing',
  additionalProperties: () => 'is not a known field',
  'false schema': () => 'is not allowed here',
  minimum: rangeMessage,
  maximum: rangeMessage,
  enum: ({ params }) => `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`,
  const: ({ params }) => `must be ${JSON.stringify(params['allowedValue'])}`,
  pattern: describedMessage,
  anyOf: describedMessage,
  oneOf: describedMessage,
};

const messageOf = (error: ErrorObject): string =>
  MESSAGES[error.keyword]?.(error) ?? error.message ?? 'is invalid';

function rangeMessage({ parentSchema }: ErrorObject): string | undefined {
  const { minimum, maximum } = (parentSchema ?? {}) as { minimum?: number; maximum?: number };
  if (minimum === undefined || maximum === undefined) return undefined;
  return `must be between ${minimum} and ${maximum}`;
}

function describedMessage({ parentSchema }: ErrorObject): string | undefined {
  const { description } = (parentSchema ?? {}) as { description?: string };
  return description === undefined ? undefined : `must be ${description}`;
}
