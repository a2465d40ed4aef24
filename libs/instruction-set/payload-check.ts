import type { FieldFault } from '#libs/errors/app-error.js';
import type { JsonSchema, NodeDefinition } from '#libs/nodes/node.js';
import { checkPayload } from '#libs/nodes/payload.js';
import { fieldPath } from './field-path.js';
import type { Json, JsonObject } from './instruction-set.js';
import { createValidator, schemaFaults } from './json-schema.js';
import { mapPayload, type Place } from './payload-walk.js';
import { parseTemplate } from './template.js';

/** As the database reads it: ajv's format takes `urn:uuid:…` as well. */
const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
/** Segments of a fault's path that are looked at: more than a body may be deep. */
const MAX_SEGMENTS = 200;

const REFERENCE = createValidator().compile({
  type: 'object',
  required: ['$ref'],
  additionalProperties: false,
  properties: {
    $ref: { type: ['string', 'integer'] },
    path: { type: 'string', maxLength: 500 },
    collection: { type: 'string', pattern: UUID, description: 'the UUID of a collection' },
  },
});

/**
 * Faults of a payload as an author writes it, at paths below the payload. `variables` has the values that
 * every edition gets; whatever else a reference brings is known at run time only, so it is judged there:
 * here a value that fits stands in for it, and what is said of the stand-in does not count.
 */
export function checkAuthoredPayload(
  node: NodeDefinition,
  payload: JsonObject,
  variables: JsonObject,
): FieldFault[] {
  const faults: FieldFault[] = [];
  const unknown = new Set<string>();
  const standIn = (place: Place) => {
    unknown.add(fieldPath(place.path));
    return sampleOf(place.schemas);
  };
  const known = mapPayload(payload, node.payload, {
    reference: (value, place) => {
      if (!REFERENCE(value)) faults.push(...schemaFaults(REFERENCE, fieldPath(place.path)));
      return standIn(place);
    },
    text: (text, place) => {
      const filled = fillIn(text, variables);
      return filled === undefined ? standIn(place) : filled;
    },
  });
  const sure = checkPayload(node, known, (path) => !isAtOrBelow(path, unknown)).faults;
  return [...faults, ...sure.map(({ path, message }) => ({ field: path, message }))];
}

/** The text with the known variables in place; undefined when what it will be is not known yet. */
function fillIn(text: string, variables: JsonObject): Json | undefined {
  const parts = parseTemplate(text);
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') {
    const isKnown = only.kind === 'variable' && Object.hasOwn(variables, only.name);
    return isKnown ? structuredClone(variables[only.name]) : undefined;
  }
  // A longer text stays one whatever is put into it.
  return text;
}

/** Looks the path and those above it up, so that many faults among many places take no longer each. */
function isAtOrBelow(path: string, places: ReadonlySet<string>): boolean {
  if (places.size === 0) return false;
  let segments = 0;
  for (const { index } of path.matchAll(/[.[]/g)) {
    if (places.has(path.slice(0, index))) return true;
    if (++segments === MAX_SEGMENTS) break;
  }
  return places.has(path);
}

/** A value that fits the schemas as far as types and ranges go. */
function sampleOf(schemas: readonly JsonSchema[]): Json {
  for (const { default: preset, enum: choices, type, minimum } of schemas) {
    if (preset !== undefined) return structuredClone(preset) as Json;
    if (Array.isArray(choices)) return choices[0] as Json;
    const [first] = [type].flat();
    if (first === 'number' || first === 'integer') return typeof minimum === 'number' ? minimum : 1;
    if (first === 'boolean') return false;
    if (first === 'array') return [];
    if (first === 'object') return {};
  }
  return 'text';
}
