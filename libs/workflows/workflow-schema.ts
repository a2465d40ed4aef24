import { boundedList } from '#libs/instruction-set/json-schema.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import { FIELD_TYPES } from './form.js';
import type { WorkflowKind } from './kinds/workflow-kind.js';

const MAX_FIELDS = 200;
const MAX_OPTIONS = 1_000;
const MAX_CREDITS = 1_000_000_000;
const nullable = (type: string, more: JsonSchema = {}): JsonSchema => ({ type: [type, 'null'], ...more });
const limit = nullable('number');
const step = nullable('number', { exclusiveMinimum: 0 });
const amount: JsonSchema = { type: 'number', minimum: 0, maximum: MAX_CREDITS };

/** What `{{…}}` can name. */
const FIELD_ID = '^(?!\\$ref:|\\s)[^{}\\u0000-\\u001f]{1,100}(?<!\\s)$';

const OPTION: JsonSchema = {
  type: 'object',
  required: ['value'],
  properties: {
    value: { type: ['string', 'number', 'boolean'] },
    label: { type: 'string' },
    name: { type: 'string' },
  },
};

/** Fields and configuration may say more than we know, for the clients that draw them. */
const FIELD: JsonSchema = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', pattern: FIELD_ID, not: { const: '__proto__' } },
    name: nullable('string', { maxLength: 200 }),
    type: { enum: [...FIELD_TYPES, null] },
    required: nullable('boolean'),
    is_required: nullable('boolean'),
    group: { type: ['string', 'array', 'null'], items: { type: 'string' } },
    placeholder: nullable('string'),
    input_type: nullable('string'),
    constraints: nullable('object', { properties: { min: limit, max: limit, step } }),
    conf_file: nullable('string', { maxLength: 100 }),
    options: boundedList(MAX_OPTIONS, OPTION, { type: ['array', 'null'] }),
  },
};

const FIELDS = boundedList(MAX_FIELDS, FIELD);

const FORM: JsonSchema = nullable('object', {
  additionalProperties: false,
  properties: {
    config: nullable('object', {
      properties: {
        groupOrder: { type: 'array', items: { type: 'string' } },
        maxNumberOfGenerations: nullable('integer', { minimum: 1 }),
      },
    }),
    fields: FIELDS,
    main: FIELDS,
    advanced: FIELDS,
  },
  // One shape or the other: with both, some fields would silently be left out.
  dependentSchemas: { fields: { properties: { main: false, advanced: false } } },
});

const CREDITS: JsonSchema = {
  description: 'a script that defines computeCost(context), or { base, per_generation } in credits',
  anyOf: [
    { type: 'null' },
    { type: 'string', minLength: 1, maxLength: 64 * 1024 },
    {
      type: 'object',
      required: ['per_generation'],
      additionalProperties: false,
      properties: { base: amount, per_generation: amount },
    },
  ],
};

/** The shape of a workflow's `data`, by type. */
export const dataSchema = ({ required, parts }: WorkflowKind): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties: {
    form: FORM,
    credits: CREDITS,
    test: nullable('object'),
    estimated_duration: nullable('number', { exclusiveMinimum: 0, maximum: 86_400 }),
    ...parts,
  },
});
