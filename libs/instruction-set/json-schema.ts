import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FieldFault } from '#libs/errors/app-error.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import { fieldPath, joinPath } from './field-path.js';

/** Faults of one run that are told; of the others only how many they are. */
const MAX_FAULTS = 100;
/** Choices that one fault names. */
const MAX_CHOICES = 20;

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

/**
 * A list of at most so many items. One that is longer is refused for its length alone: to tell every fault,
 * `maxItems` by itself would still have each of its items looked at.
 */
export const boundedList = (maxItems: number, items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  type: 'array',
  maxItems,
  if: { maxItems },
  then: { items },
  ...more,
});

/**
 * Faults of the last run of `validate`, with dotted paths below `parent`: the first hundred, then how many
 * more there are. `isTold` leaves out those at paths (without `parent`) that the caller does not ask about.
 */
export function schemaFaults(
  validate: ValidateFunction,
  parent = '',
  isTold: (path: string) => boolean = () => true,
): FieldFault[] {
  const errors = withoutBranches(validate.errors ?? []);
  const faults: FieldFault[] = [];
  for (const [index, error] of errors.entries()) {
    if (faults.length === MAX_FAULTS) {
      return [...faults, { field: parent, message: `has ${errors.length - index} more faults` }];
    }
    const path = fieldPath(segmentsOf(error));
    if (isTold(path)) faults.push({ field: joinPath(parent, path), message: messageOf(error) });
  }
  return faults;
}

/**
 * Why a value is none of the choices, or not what it must `then` be, is said once: what is wrong further down
 * in one of them is kept. Choices are looked up by their place, as there may be as many as faults.
 */
function withoutBranches(errors: ErrorObject[]): ErrorObject[] {
  const choices = new Map<string, Set<string>>();
  for (const { keyword, instancePath, schemaPath } of errors) {
    if (!CHOICES.has(keyword)) continue;
    const known = choices.get(instancePath);
    if (known) known.add(schemaPath);
    else choices.set(instancePath, new Set([schemaPath]));
  }
  const isBranch = ({ instancePath, schemaPath }: ErrorObject): boolean =>
    [...(choices.get(instancePath) ?? [])].some((choice) => schemaPath.startsWith(`${choice}/`));
  return errors.filter((error) => error.keyword !== 'if' && !isBranch(error));
}

const CHOICES = new Set(['anyOf', 'oneOf']);

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
  enum: ({ params }) => `must be one of ${choicesIn(params['allowedValues'] as unknown[])}`,
  const: ({ params }) => `must be ${JSON.stringify(params['allowedValue'])}`,
  pattern: describedMessage,
  anyOf: describedMessage,
  oneOf: describedMessage,
};

const choicesIn = (values: unknown[]): string => {
  const more = values.length - MAX_CHOICES;
  return values.slice(0, MAX_CHOICES).join(', ') + (more > 0 ? ` and ${more} more` : '');
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
