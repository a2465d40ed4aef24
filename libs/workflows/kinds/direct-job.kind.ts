import type { FieldFault } from '#libs/errors/app-error.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { parseOutputPath } from '#libs/instruction-set/output-path.js';
import { JSON_INPUTS, jsonInputFaults, placeInputs, type JsonInput } from '#libs/json-inputs/json-inputs.js';
import type { DirectJobOrder } from '#libs/nodes/direct-job.node.js';
import { inputFault, type JsonSchema } from '#libs/nodes/node.js';
import { SERVICE_NAME } from '#libs/queue/service-queue.js';
import { Expressions } from '#libs/sandbox/expressions.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { fieldsOf } from '../form.js';
import type { WorkflowData } from '../stored-workflow.js';
import { SYSTEM_NAMES, type SystemValues } from '../system-values.js';
import type { WorkflowKind } from './workflow-kind.js';

const DEFAULT_PRIORITY = 50;
const DEFAULT_TIMEOUT_MS = 30 * 60_000;

/** A queue job as its author writes it. */
interface Job {
  /** A service's name, or the id of the form field that holds it. */
  service_required: string;
  /** 1 to 100, 100 first. */
  priority?: number | null;
  payload?: Json;
  requirements?: Json;
  response_type?: DirectJobOrder['responseType'] | null;
  /** Dotted path to the output in what the service returns: `images[0].url`. */
  output_field?: string | null;
  /** Milliseconds until the step fails. */
  timeout?: number | null;
}

const JOB: JsonSchema = {
  type: 'object',
  required: ['service_required'],
  properties: {
    service_required: { type: 'string', pattern: SERVICE_NAME },
    priority: { type: ['integer', 'null'], minimum: 1, maximum: 100 },
    payload: true,
    requirements: true,
    response_type: { enum: ['text', 'json', 'image', 'file', null] },
    output_field: { type: ['string', 'null'], maxLength: 500 },
    timeout: { type: ['integer', 'null'], minimum: 1_000, maximum: 24 * 3_600_000 },
  },
};

/** A job of a service outside, with the values of a form in it. */
export const directJobKind: WorkflowKind = {
  name: 'direct_job',
  aliases: [],
  parts: { job: JOB, inputs: JSON_INPUTS },
  required: ['job'],
  check,
  step: { node: 'direct_job', payload: orderOf },
};

async function check(data: WorkflowData, isFormSound: boolean, scripts: ScriptSandbox): Promise<FieldFault[]> {
  const { job, inputs } = partsOf(data);
  const known = isFormSound ? new Set([...fieldsOf(data.form).map(({ id }) => id), ...SYSTEM_NAMES]) : null;
  const unplaced = await jsonInputFaults(inputs, data.job as Json, { known, expressions: new Expressions(scripts) });
  const faults = unplaced.map(({ field, message }) => ({ field: joinPath('inputs', field), message }));
  if (job.output_field && !parseOutputPath(job.output_field)) {
    faults.push({ field: 'job.output_field', message: 'is not a path like images[0].url' });
  }
  return faults;
}

function orderOf(data: WorkflowData, values: JsonObject, system: SystemValues, outputType: string | null): JsonObject {
  const { job, inputs } = partsOf(data);
  const { placed, missing } = placeInputs(inputs, { ...values, ...system });
  const [first] = missing;
  if (first !== undefined) throw inputFault('INVALID_PAYLOAD', `${first} is required`);
  const order: DirectJobOrder = {
    service: serviceOf(data, job, values),
    job: data.job as JsonObject,
    placed,
    priority: job.priority ?? DEFAULT_PRIORITY,
    responseType: job.response_type ?? responseTypeOf(outputType),
    outputField: job.output_field || null,
    timeoutMs: job.timeout ?? DEFAULT_TIMEOUT_MS,
  };
  return order as unknown as JsonObject;
}

function serviceOf({ form }: WorkflowData, { service_required: named }: Job, values: JsonObject): string {
  const service = fieldsOf(form).some(({ id }) => id === named) ? values[named] : named;
  if (typeof service === 'string' && new RegExp(SERVICE_NAME).test(service)) return service;
  throw inputFault('INVALID_PAYLOAD', `${named} is not the name of a service`);
}

/** Where the job does not say, the workflow's own type does. */
function responseTypeOf(outputType: string | null): DirectJobOrder['responseType'] {
  if (outputType === null || outputType.startsWith('text/')) return 'text';
  if (outputType.startsWith('image/')) return 'image';
  return outputType === 'application/json' ? 'json' : 'file';
}

const partsOf = ({ job, inputs }: WorkflowData): { job: Job; inputs: JsonInput[] } => ({
  job: job as unknown as Job,
  inputs: (inputs ?? []) as unknown as JsonInput[],
});
