import type { ValidateFunction } from 'ajv';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { createValidator, schemaFaults } from '#libs/instruction-set/json-schema.js';
import { inputFault, type NodeDefinition } from './node.js';

export interface PayloadFault {
  /** Dotted path inside the payload; empty for the payload itself. */
  path: string;
  message: string;
}

const compiled = new WeakMap<NodeDefinition, ValidateFunction>();

/**
 * Fills in a node's defaults and checks the whole. `payload` itself stays as it is. `isTold` leaves out faults
 * at paths that the caller does not ask about.
 */
export function checkPayload(
  node: NodeDefinition,
  payload: JsonObject,
  isTold: (path: string) => boolean = () => true,
): { payload: JsonObject; faults: PayloadFault[] } {
  const complete = { ...payload };
  const validate = validatorOf(node);
  if (validate(complete)) {
    return { payload: complete, faults: (node.check?.(complete) ?? []).filter(({ path }) => isTold(path)) };
  }
  const faults = schemaFaults(validate, '', isTold);
  return { payload: complete, faults: faults.map(({ field, message }) => ({ path: field, message })) };
}

/** The payload a node runs with. Throws a permanent `NodeError` that names the first fault. */
export function completePayload(node: NodeDefinition, resolved: JsonObject): JsonObject {
  const { payload, faults } = checkPayload(node, resolved);
  const [fault] = faults;
  if (fault) throw inputFault('INVALID_PAYLOAD', `${fault.path || 'payload'} ${fault.message}`);
  return payload;
}

function validatorOf(node: NodeDefinition): ValidateFunction {
  const known = compiled.get(node);
  if (known) return known;
  // An ajv keeps all that it compiled for ever: a stored workflow's goes with its node.
  const ajv = createValidator({ strict: true, allowUnionTypes: true });
  // Our own words (`NodeDefinition.payload`).
  const validate = ajv.addKeyword('verbatim').addKeyword('asset').compile(node.payload);
  compiled.set(node, validate);
  return validate;
}
