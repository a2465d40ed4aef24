import type { JsonSchema } from '#libs/nodes/node.js';
import type { Json, JsonObject } from './instruction-set.js';

/** Where a value stands in a payload, and the schemas that describe it. */
export interface Place {
  path: readonly string[];
  schemas: readonly JsonSchema[];
}

/** What becomes of the parts of a payload that may refer to something. */
export interface PayloadVisitor {
  /** An object with `$ref`. */
  reference(reference: JsonObject, place: Place): unknown;
  text(text: string, place: Place): unknown;
}

/**
 * A copy of a payload with its references and texts replaced by what the visitor gives. What the node's
 * schema marks `verbatim` is left as it is, whatever stands in it.
 */
export function mapPayload(payload: JsonObject, schema: JsonSchema, visitor: PayloadVisitor): JsonObject {
  return mapMembers(payload, { path: [], schemas: [schema].flatMap(alternatives) }, visitor) as JsonObject;
}

function mapValue(value: Json, place: Place, visitor: PayloadVisitor): unknown {
  if (place.schemas.some(({ verbatim }) => verbatim === true)) return value;
  if (typeof value === 'string') return visitor.text(value, place);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const schemas = schemasBelow(place, '0');
    return value.map((item, index) =>
      isPlain(item) ? item : mapValue(item, { path: [...place.path, String(index)], schemas }, visitor),
    );
  }
  return Object.hasOwn(value, '$ref') ? visitor.reference(value, place) : mapMembers(value, place, visitor);
}

const mapMembers = (value: JsonObject, place: Place, visitor: PayloadVisitor): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      isPlain(member)
        ? member
        : mapValue(member, { path: [...place.path, key], schemas: schemasBelow(place, key) }, visitor),
    ]),
  );

/** What cannot refer to anything: left out early, as there may be very many of them. */
const isPlain = (value: Json): boolean =>
  typeof value !== 'string' && (typeof value !== 'object' || value === null);

const schemasBelow = ({ schemas }: Place, key: string): JsonSchema[] =>
  schemas.flatMap((schema) => childSchemas(schema, key)).flatMap(alternatives);

function childSchemas({ properties, additionalProperties, items }: JsonSchema, key: string): JsonSchema[] {
  const isNamed = isSchema(properties) && Object.hasOwn(properties, key);
  return [isNamed ? properties[key] : additionalProperties, items].filter(isSchema);
}

/** A schema and all that it is put together from, a list's `boundedList` among it. */
const alternatives = (schema: JsonSchema): JsonSchema[] => [
  schema,
  ...['anyOf', 'oneOf', 'allOf', 'then']
    .flatMap((word) => schema[word])
    .filter(isSchema)
    .flatMap(alternatives),
];

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
