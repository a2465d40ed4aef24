import type { Json, Variables } from './instruction-set.js';

/** A value of an `images` variable. */
export interface ImageValue {
  /** Inside the variables, e.g. `[2].value.values[0]`. */
  path: string;
  /** An asset's id, a URL, or a reference. */
  value: Json;
}

/** An asset of a step of another collection: `{ "$ref": stepId, "collection": uuid }`. */
export interface ImageReference {
  stepId: string;
  collection: string;
}

/** Every image that the list form of variables names, `test_value`s among them. */
export function imageValues(variables: Variables): ImageValue[] {
  if (!Array.isArray(variables)) return [];
  return variables.flatMap(({ value_type, value, test_value }, index) => {
    if (value_type !== 'images') return [];
    const values = value.values.map((item, place) => ({ path: `[${index}].value.values[${place}]`, value: item }));
    const isTested = test_value !== undefined && test_value !== null;
    return isTested ? [...values, { path: `[${index}].test_value`, value: test_value }] : values;
  });
}

/** Names of the variables whose values are images. */
export const imageNames = (variables: Variables): ReadonlySet<string> =>
  new Set(Array.isArray(variables) ? variables.filter(({ value_type }) => value_type === 'images').map(({ name }) => name) : []);

/** Null: it is no reference to another collection. */
export function imageReference(value: Json | undefined): ImageReference | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { $ref, collection } = value;
  const isId = typeof $ref === 'string' || typeof $ref === 'number';
  return isId && typeof collection === 'string' ? { stepId: String($ref), collection } : null;
}
