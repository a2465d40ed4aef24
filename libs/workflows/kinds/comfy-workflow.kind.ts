import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import { graphFaults, type Graph } from '#libs/comfyui/graph.js';
import { fieldBehind, fillGraph, mappingFaults, type InputMapping } from '#libs/comfyui/input-mapping.js';
import { neededModels, type RequiredModels } from '#libs/comfyui/required-models.js';
import { NO_SERVER_FILES, serverFileInputs } from '#libs/comfyui/server-files.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { inputFault, type JsonSchema } from '#libs/nodes/node.js';
import { fieldsOf } from '../form.js';
import type { WorkflowData } from '../stored-workflow.js';
import type { SystemValues } from '../system-values.js';
import type { WorkflowKind } from './workflow-kind.js';

/** By folder of models; servers are asked for each folder. */
const FILES: JsonSchema = {
  type: ['object', 'null'],
  maxProperties: 30,
  additionalProperties: { type: 'array', maxItems: 500, items: { type: 'string', minLength: 1, maxLength: 500 } },
};

const MAPPING: JsonSchema = {
  type: ['object', 'null'],
  additionalProperties: {
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['value'],
      properties: { value: { type: 'string', minLength: 1 }, is_required: { type: ['boolean', 'null'] } },
    },
  },
};

/** A ComfyUI graph, with the values of a form in it. */
export const comfyWorkflowKind: WorkflowKind = {
  name: 'comfy_workflow',
  aliases: ['comfyworkflow', 'comfyui'],
  parts: {
    workflow: { type: 'object' },
    inputs: MAPPING,
    required_models: { type: ['object', 'null'], properties: { static: FILES, dynamic: FILES } },
  },
  required: ['workflow'],
  check({ workflow = {}, inputs }) {
    const faults = graphFaults(workflow).map(({ path, message }) => ({ field: joinPath('workflow', path), message }));
    // Where the graph is none, no mapping fits it.
    if (faults.length > 0) return faults;
    const unplaced = mappingFaults(mappingOf({ inputs }), workflow);
    return [
      ...serverFileInputs(workflow as unknown as Graph).map(fileFault),
      ...unplaced.map(({ field, message }) => ({ field: joinPath('inputs', field), message })),
    ];
  },
  names: (data) => Object.values(mappingOf(data)).flatMap((inputs) => Object.values(inputs).map(({ value }) => value)),
  step: { node: 'comfy_workflow', payload: orderOf },
};

function orderOf(data: WorkflowData, values: JsonObject, system: SystemValues): JsonObject {
  const inputs = mappingOf(data);
  const fileFields = new Set(fieldsOf(data.form).filter(({ type }) => type === 'image_loader').map(({ id }) => id));
  const known = { ...values, ...system };
  const { graph, files, missing } = fillGraph(data.workflow as unknown as Graph, inputs, known, (field) => fileFields.has(field));
  const [first] = missing;
  if (first !== undefined) throw inputFault('INVALID_PAYLOAD', `${first} is required`);
  const [foreign] = serverFileInputs(graph);
  if (foreign) {
    const field = fieldBehind(inputs, foreign.nodeId, foreign.input) ?? fileFault(foreign).field;
    throw inputFault('INVALID_PAYLOAD', `${field} ${NO_SERVER_FILES}`);
  }
  const models = neededModels(data.required_models as RequiredModels | null, graph, values);
  const order: ComfyOrder = { graph, files, inputs, models };
  return order as unknown as JsonObject;
}

const fileFault = ({ nodeId, input }: { nodeId: string; input: string }): FieldFault => ({
  field: `workflow.${nodeId}.inputs.${input}`, message: NO_SERVER_FILES,
});

const mappingOf = ({ inputs }: Pick<WorkflowData, 'inputs'>): InputMapping =>
  (inputs ?? {}) as unknown as InputMapping;
