import { checkVariables, VARIABLE_LIST_SCHEMA } from '#libs/instruction-set/check-variables.js';
import type { VariableDefinition } from '#libs/instruction-set/instruction-set.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import { resolveVariables } from '#libs/instruction-set/variables.js';
import { defineNode } from './node.js';

interface VariablesPayload {
  variables: VariableDefinition[];
}

/** Picks values for the edition by its hash: an object of them by name, and its traits. */
export const variablesNode = defineNode<VariablesPayload>({
  name: 'variables',
  aliases: [],
  title: 'Variables',
  lane: 'default',
  payload: {
    type: 'object',
    required: ['variables'],
    additionalProperties: false,
    properties: { variables: VARIABLE_LIST_SCHEMA },
  },
  timeLimitMs: 10_000,
  immediate: () => true,
  check: ({ variables }) =>
    checkVariables(variables).map(({ path, message }) => ({ path: joinPath('variables', path), message })),
  async run({ payload, hash }) {
    const { values, traits } = resolveVariables(payload.variables, hash);
    return { kind: 'done', value: values, traits };
  },
});
