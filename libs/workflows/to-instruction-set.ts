import { generateHash } from '#libs/instruction-set/hash.js';
import type {
  InstructionSet, Json, JsonObject, VariableDefinition, Variables,
} from '#libs/instruction-set/instruction-set.js';
import { fieldsOf, isText } from './form.js';
import { assertExecutable, type ExecutableWorkflow, type Pipeline, type WorkflowData } from './stored-workflow.js';

/**
 * What a workflow makes of a form's `values` (`validateVariables`): the pipeline's steps under the author's
 * ids, or the workflow itself as the one step; the values as their variables, and a new hash for each
 * generation. Throws `WORKFLOW_NOT_EXECUTABLE`.
 */
export function toInstructionSet(
  workflow: ExecutableWorkflow,
  values: JsonObject,
  generations: number,
): InstructionSet {
  assertExecutable(workflow);
  return {
    version: 'v2',
    ...stepsOf(workflow, values),
    generations: {
      hashes: Array.from({ length: generations }, generateHash),
      generations,
      use_custom_hashes: false,
    },
  };
}

type NamedWorkflow = Pick<ExecutableWorkflow, 'name' | 'label' | 'data'>;

/** The steps of it and their variables, for a form's values. */
export function stepsOf(
  workflow: NamedWorkflow,
  values: JsonObject,
): Pick<InstructionSet, 'steps' | 'variables'> {
  const { steps, variables = {} } = structuredClone(pipelineOf(workflow, Object.keys(values)));
  return { steps, variables: withValues(variables, { ...emptyValues(workflow.data), ...values }) };
}

/** A workflow that is one step reads its form's fields as a pipeline's steps do: a value is never a template. */
function pipelineOf({ name, label, data }: NamedWorkflow, given: string[]): Pipeline {
  if (data.pipeline) return data.pipeline;
  const names = new Set([...fieldsOf(data.form).map(({ id }) => id), ...given]);
  const nodePayload = Object.fromEntries([...names].map((id) => [id, `{{${id}}}`]));
  return { steps: [{ id: 1, nodeName: name, alias: label ?? name, nodePayload }] };
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
