import { workflowNotExecutable } from '#libs/errors/errors.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type {
  InstructionSet, Json, JsonObject, VariableDefinition, Variables,
} from '#libs/instruction-set/instruction-set.js';
import { fieldsOf, isText } from './form.js';
import { isExecutable, type WorkflowData, type WorkflowInput } from './stored-workflow.js';

/**
 * What a workflow makes of a form's `values` (`validateVariables`): the pipeline's steps under the author's
 * ids, the values as its variables, and a new hash for each generation. Throws `WORKFLOW_NOT_EXECUTABLE`.
 */
export function toInstructionSet(
  workflow: Pick<WorkflowInput, 'type' | 'output_mime_type' | 'data'>,
  values: JsonObject,
  generations: number,
): InstructionSet {
  const { data } = workflow;
  if (!isExecutable(workflow) || !data.pipeline) throw workflowNotExecutable();
  const { steps, variables = {} } = structuredClone(data.pipeline);
  return {
    version: 'v2',
    steps,
    generations: {
      hashes: Array.from({ length: generations }, generateHash),
      generations,
      use_custom_hashes: false,
    },
    variables: withValues(variables, { ...emptyValues(data), ...values }),
  };
}

/** A field that was left out is still a name that steps may read: an empty text, or null. */
const emptyValues = ({ form }: WorkflowData): JsonObject =>
  Object.fromEntries(fieldsOf(form).map((field) => [field.id, isText(field) ? '' : null]));

/** The form's value wins over the pipeline's own variable of that name. */
function withValues(variables: Variables, values: JsonObject): Variables {
  if (!Array.isArray(variables)) return { ...variables, ...values };
  const own = variables.filter(({ name }) => !Object.hasOwn(values, name));
  return [...own, ...Object.entries(values).map(([name, value]) => fixedVariable(name, value))];
}

const fixedVariable = (name: string, value: Json): VariableDefinition => ({
  name,
  type: 'fixed',
  value_type: typeof value === 'number' ? 'numbers' : 'strings',
  value: { values: [value] },
});
