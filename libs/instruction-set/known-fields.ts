import type { Json, JsonObject, Variables } from './instruction-set.js';
import { parseTemplate } from './template.js';

export interface KnownFields {
  /** Values that are the same in every edition, with the variables in place. */
  fields: JsonObject;
  /** Names of the others: they refer to another step, or to what a hash decides. */
  unknown: string[];
}

/** What of a payload is known before its step runs: what prices and checks can go by. */
export function knownFields(payload: JsonObject, variables: Variables): KnownFields {
  const values = knownValues(variables);
  const known: KnownFields = { fields: {}, unknown: [] };
  for (const [name, value] of Object.entries(payload)) {
    const filled = typeof value === 'string' ? filledIn(value, values) : asItStands(value);
    if (filled === undefined) known.unknown.push(name);
    else known.fields[name] = filled;
  }
  return known;
}

/** Of a list the variables that are the same in all editions. */
const knownValues = (variables: Variables): JsonObject =>
  Array.isArray(variables)
    ? Object.fromEntries(variables.filter(({ type }) => type === 'fixed').map(({ name, value }) => [name, value.values[0] as Json]))
    : variables;

function filledIn(text: string, values: JsonObject): Json | undefined {
  const parts = parseTemplate(text).map((part) => {
    if (typeof part === 'string') return part;
    const isKnown = part.kind === 'variable' && Object.hasOwn(values, part.name);
    return isKnown ? { value: values[part.name] as Json } : undefined;
  });
  if (parts.includes(undefined)) return undefined;
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') return only.value;
  return parts.map((part) => (typeof part === 'object' ? asText(part.value) : part)).join('');
}

/** Lists and objects are not looked into: one with a reference or a placeholder in it is not known. */
function asItStands(value: Json): Json | undefined {
  const text = JSON.stringify(value);
  return text.includes('{{') || text.includes('"$ref"') ? undefined : value;
}

const asText = (value: Json): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
