import type { JsonSchema } from '#libs/nodes/node.js';
import { boundedList } from './json-schema.js';
import { STEP_ID } from './template.js';

/** Steps of one set at most. */
export const MAX_STEPS = 1_000;
/** Editions of one submission at most. */
export const MAX_GENERATIONS = 1_000;

const STEP_ID_SCHEMA: JsonSchema = {
  description: 'a whole number, or a text without . : [ ] { }',
  anyOf: [
    { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    { type: 'string', pattern: STEP_ID },
  ],
};

const STEP_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['id', 'nodeName', 'nodePayload'],
  additionalProperties: false,
  properties: {
    id: STEP_ID_SCHEMA,
    fromId: { type: ['string', 'integer'] },
    nodeName: { type: 'string', minLength: 1, maxLength: 100 },
    nodePayload: { type: 'object' },
    alias: { type: 'string', maxLength: 100 },
  },
};

/** The shape of an `InstructionSet`. What is left out is as in `EMPTY_INSTRUCTION_SET`. */
export const INSTRUCTION_SET_SCHEMA: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    version: { const: 'v2', default: 'v2' },
    steps: boundedList(MAX_STEPS, STEP_SCHEMA, { default: [] }),
    generations: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        hashes: boundedList(MAX_GENERATIONS, { type: 'string' }, { default: [] }),
        generations: { type: 'integer', minimum: 1, maximum: MAX_GENERATIONS, default: 1 },
        use_custom_hashes: { type: 'boolean', default: false },
      },
    },
    variables: { type: ['object', 'array'], default: {} },
  },
};
