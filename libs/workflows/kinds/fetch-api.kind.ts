import type { FieldFault } from '#libs/errors/app-error.js';
import { API_CALL, fetchTypeOf, type ApiCall } from '#libs/fetch-api/api-call.js';
import { apiFaults } from '#libs/fetch-api/api-check.js';
import type { ApiOrder } from '#libs/fetch-api/api-order.js';
import { WEBHOOK_URL } from '#libs/fetch-api/templates.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import { JSON_INPUTS, jsonInputFaults, placeInputs, type JsonInput } from '#libs/json-inputs/json-inputs.js';
import { inputFault } from '#libs/nodes/node.js';
import { Expressions } from '#libs/sandbox/expressions.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { fieldsOf } from '../form.js';
import type { WorkflowData } from '../stored-workflow.js';
import { SYSTEM_NAMES, type SystemValues } from '../system-values.js';
import type { WorkflowKind } from './workflow-kind.js';

/** One call of another service's API, with the values of a form in its JSON body. */
export const fetchApiKind: WorkflowKind = {
  name: 'fetch_api',
  aliases: ['thirdpartyapi'],
  parts: { api: API_CALL, body: {}, inputs: JSON_INPUTS },
  required: ['api'],
  check,
  step: { node: 'fetch_api', payload: orderOf },
};

async function check(data: WorkflowData, isFormSound: boolean, scripts: ScriptSandbox): Promise<FieldFault[]> {
  const expressions = new Expressions(scripts);
  const { api, inputs } = partsOf(data);
  const known = isFormSound
    ? new Set([...fieldsOf(data.form).map(({ id }) => id), ...systemNames(api)])
    : null;
  const unplaced = await jsonInputFaults(inputs, data.body ?? null, { known, expressions });
  return [
    ...(await apiFaults(api, data.body, expressions)),
    ...unplaced.map(({ field, message }) => ({ field: joinPath('inputs', field), message })),
  ];
}

function orderOf(
  data: WorkflowData,
  values: JsonObject,
  system: SystemValues,
  outputType: string | null,
): JsonObject {
  const { api, inputs } = partsOf(data);
  // Where the result is to be sent only the step itself knows.
  const sent = inputs.filter(({ id }) => id === WEBHOOK_URL).map(({ pathJq }) => pathJq);
  const others = inputs.filter(({ id }) => id !== WEBHOOK_URL);
  const { placed, missing } = placeInputs(others, { ...values, ...system });
  const [first] = missing;
  if (first !== undefined) throw inputFault('INVALID_PAYLOAD', `${first} is required`);
  const order: ApiOrder = {
    api, placed, webhookPaths: sent, outputType, ...(data.body !== undefined && { body: data.body }),
  };
  return order as unknown as JsonObject;
}

const systemNames = (api: ApiCall): readonly string[] =>
  fetchTypeOf(api) === 'webhook' ? [...SYSTEM_NAMES, WEBHOOK_URL] : SYSTEM_NAMES;

const partsOf = ({ api, inputs }: WorkflowData): { api: ApiCall; inputs: JsonInput[] } => ({
  api: api as unknown as ApiCall,
  inputs: (inputs ?? []) as unknown as JsonInput[],
});
