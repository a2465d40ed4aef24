import type { Json, JsonObject, Variables } from './instruction-set.js';
import { fillIn } from './payload-check.js';

/**
 * The fields of a payload that are the same in every edition, with the variables in place: what can be said of
 * a step before it runs. Those that refer to another step, or to what a hash decides, are left out.
 */
export function knownFields(payload: JsonObject, variables: Variables): JsonObject {
  const values = Array.isArray(variables) ? {} : variables;
  const fields: JsonObject = {};
  for (const [name, value] of Object.entries(payload)) {
    const known = knownValue(value, values);
    if (known !== undefined) fields[name] = known;
  }
  return fields;
}

function knownValue(value: Json, variables: JsonObject): Json | undefined {
  if (typeof value === 'string') return fillIn(value, variables);
  const isReference = Object.hasOwn(Object(value) as object, '$ref');
  return isReference ? undefined : value;
}
