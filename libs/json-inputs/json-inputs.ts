import type { FieldFault } from '#libs/errors/app-error.js';
import { boundedList } from '#libs/instruction-set/json-schema.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { JsonSchema } from '#libs/nodes/node.js';
import type { Expressions } from '#libs/sandbox/expressions.js';
import { SandboxUnavailable } from '#libs/sandbox/script-sandbox.js';
import { bodyPaths } from './body-paths.js';

/** How a file reaches the body: with its media type in front, or its bytes alone. */
const FILE_FORMS = ['data_url', 'base64'] as const;
export type FileForm = (typeof FILE_FORMS)[number];

/** One line of the mapping of a form to a JSON body. */
export interface JsonInput {
  /** A field of the form, or a system value. */
  id: string;
  /** A jq path to the places of the body that the value takes. */
  pathJq: string;
  is_required?: boolean | null;
  /** Where the form gives none. Without either the body keeps what it has there. */
  default?: Json;
  /** Of a field that holds a file. Default `data_url`. */
  as?: FileForm | null;
}

/** A value on its way to its places in a body. */
export interface PlacedInput {
  pathJq: string;
  value: Json;
  as: FileForm;
}

export const JSON_INPUTS: JsonSchema = boundedList(100, {
  type: 'object',
  required: ['id', 'pathJq'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    pathJq: { type: 'string', minLength: 1, maxLength: 1_000 },
    is_required: { type: ['boolean', 'null'] },
    default: true,
    as: { enum: [...FILE_FORMS, null] },
  },
}, { type: ['array', 'null'] });

/** The values that have a place, and the ids of those that are required and missing. */
export function placeInputs(
  inputs: readonly JsonInput[],
  values: JsonObject,
): { placed: PlacedInput[]; missing: string[] } {
  const placed: PlacedInput[] = [];
  const missing: string[] = [];
  for (const { id, pathJq, is_required, default: preset, as } of inputs) {
    const value = (Object.hasOwn(values, id) ? values[id] : null) ?? preset ?? null;
    if (value !== null) placed.push({ pathJq, value, as: as ?? 'data_url' });
    else if (is_required) missing.push(id);
  }
  return { placed, missing };
}

/**
 * Faults of a mapping, as `[index].field`: ids that nobody knows (`known`: null where the form cannot be read),
 * paths that are not jq or lead to nothing in the body.
 */
export async function jsonInputFaults(
  inputs: readonly JsonInput[],
  body: Json,
  { known, expressions }: { known: ReadonlySet<string> | null; expressions: Expressions },
): Promise<FieldFault[]> {
  const unknown = inputs.flatMap(({ id }, index) =>
    known && !known.has(id)
      ? [{ field: `[${index}].id`, message: `${id} is neither a field of the form nor a system value` }]
      : [],
  );
  return [...unknown, ...(await placeFaults(inputs, body, expressions))];
}

/** All at once where all are sound, else one by one. */
async function placeFaults(
  inputs: readonly JsonInput[],
  body: Json,
  expressions: Expressions,
): Promise<FieldFault[]> {
  const programs = inputs.map(({ pathJq }) => pathJq);
  const all = await bodyPaths(expressions, body, programs).catch(() => null);
  if (all?.every(({ length }) => length > 0)) return [];
  const faults: FieldFault[] = [];
  for (const [index, program] of programs.entries()) {
    const message = await placeFault(expressions, body, program);
    if (message) faults.push({ field: `[${index}].pathJq`, message });
  }
  return faults;
}

async function placeFault(expressions: Expressions, body: Json, program: string): Promise<string | null> {
  try {
    const [paths] = await bodyPaths(expressions, body, [program]);
    return paths?.length ? null : 'leads to no place in the body';
  } catch (error) {
    if (error instanceof SandboxUnavailable) throw error;
    return `leads to no place in the body: ${(error as Error).message}`;
  }
}
