import type { JsonSchema } from '#libs/nodes/node.js';
import type { Json, JsonObject, VariableDefinition, Variables } from './instruction-set.js';
import { boundedList, createValidator, schemaFaults } from './json-schema.js';

const MAX_NAMES = 200;
const MAX_BYTES = 256 * 1024;

const DEFINITION_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['name', 'type', 'value_type', 'value'],
  additionalProperties: false,
  properties: {
    name: { type: 'string' },
    type: { enum: ['fixed', 'pick', 'weighted_pick', 'range'] },
    value_type: { enum: ['strings', 'numbers', 'images'] },
    value: {
      type: 'object',
      required: ['values'],
      additionalProperties: false,
      properties: {
        display_names: { type: 'array', items: { type: 'string' } },
        values: { type: 'array', minItems: 1 },
        weights: { type: 'array', items: { type: 'number', minimum: 0 } },
      },
    },
    lock_value: { type: 'boolean' },
    test_value: {},
  },
};

/** The list form of variables. */
export const VARIABLE_LIST_SCHEMA: JsonSchema = boundedList(MAX_NAMES, DEFINITION_SCHEMA);

const validateList = createValidator().compile<VariableDefinition[]>(VARIABLE_LIST_SCHEMA);

interface VariableFault {
  /** Dotted path inside the variables; empty for all of them. */
  path: string;
  message: string;
}

/** Every fault of an instruction set's variables, in either form. */
export function checkVariables(variables: Variables): VariableFault[] {
  if (Buffer.byteLength(JSON.stringify(variables)) > MAX_BYTES) {
    return [{ path: '', message: 'must not be larger than 256 KiB' }];
  }
  return Array.isArray(variables) ? listFaults(variables) : recordFaults(variables);
}

function recordFaults(record: JsonObject): VariableFault[] {
  const names = Object.keys(record);
  if (names.length > MAX_NAMES) return [{ path: '', message: `must not have more than ${MAX_NAMES} names` }];
  return names.flatMap((name) => nameFaults(name).map((message) => ({ path: name, message })));
}

function listFaults(list: VariableDefinition[]): VariableFault[] {
  const shape = validateList(list) ? [] : schemaFaults(validateList);
  const faults = shape.map(({ field, message }) => ({ path: field, message }));
  // Faults of the whole list: it is too long, or not all of what is wrong with it was told.
  if (faults.some(({ path }) => path === '')) return faults;
  const names = list.map((definition) => definition?.name);
  for (const [index, definition] of list.entries()) {
    if (shape.some(({ field }) => field.startsWith(`[${index}]`))) continue;
    const found = definitionFaults(definition);
    if (names.indexOf(definition.name) < index) found.push({ path: 'name', message: 'is there twice' });
    faults.push(...found.map(({ path, message }) => ({ path: `[${index}].${path}`, message })));
  }
  return faults;
}

function definitionFaults(definition: VariableDefinition): VariableFault[] {
  const { name, type, value, test_value } = definition;
  const untested = test_value === undefined || test_value === null;
  return [
    ...nameFaults(name).map((message) => ({ path: 'name', message })),
    ...value.values.flatMap((item, index) => typeFaults(definition, item, `value.values[${index}]`)),
    ...(untested ? [] : typeFaults(definition, test_value, 'test_value')),
    ...lengthFaults('display_names', definition),
    ...(type === 'weighted_pick' ? weightFaults(definition) : lengthFaults('weights', definition)),
    ...(type === 'range' ? rangeFaults(definition) : []),
  ];
}

/** What `{{name}}` could not say, and what is no safe key of an object. */
function nameFaults(name: string): string[] {
  if (name === '__proto__') return ['is a reserved name'];
  if (name.length < 1 || name.length > 100) return ['must have 1 to 100 characters'];
  if (/[{}]|^\s|\s$|^\$ref:/.test(name))
    return ['must not have braces or spaces around it, or begin with $ref:'];
  return [];
}

function typeFaults({ value_type }: VariableDefinition, item: Json, path: string): VariableFault[] {
  const isReference = typeof item === 'object' && item !== null && '$ref' in item;
  switch (value_type) {
    case 'strings':
      return typeof item === 'string' ? [] : [{ path, message: 'must be a text' }];
    case 'numbers':
      return typeof item === 'number' ? [] : [{ path, message: 'must be a number' }];
    case 'images':
      return typeof item === 'string' || isReference
        ? []
        : [{ path, message: 'must be an address or a reference' }];
  }
}

/** An empty list counts as none. */
function lengthFaults(key: 'display_names' | 'weights', { value }: VariableDefinition): VariableFault[] {
  const length = value[key]?.length ?? 0;
  if (length === 0 || length === value.values.length) return [];
  return [{ path: `value.${key}`, message: `must have as many entries as values (${value.values.length})` }];
}

function weightFaults(definition: VariableDefinition): VariableFault[] {
  const { weights = [] } = definition.value;
  if (weights.length === 0) return [{ path: 'value.weights', message: 'Required field missing' }];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const isUsable = sum > 0 && Number.isFinite(sum);
  return [
    ...lengthFaults('weights', definition),
    ...(isUsable ? [] : [{ path: 'value.weights', message: 'must have a sum above zero' }]),
  ];
}

function rangeFaults({ value_type, value }: VariableDefinition): VariableFault[] {
  const path = 'value.values';
  if (value_type !== 'numbers') return [{ path: 'value_type', message: 'must be numbers for a range' }];
  const [min = 0, max = 0, step = 1] = value.values as number[];
  if (value.values.length < 2 || value.values.length > 3 || min > max || !(step > 0)) {
    return [{ path, message: 'must be [min, max] or [min, max, step]' }];
  }
  return [];
}
