import type { FieldFault } from '#libs/errors/app-error.js';
import { LANES, type Lane, type NodeDefinition } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { joinPath } from './field-path.js';
import { checkGraph } from './graph.js';
import { isHash } from './hash.js';
import { INSTRUCTION_SET_SCHEMA } from './instruction-set-schema.js';
import type { InstructionSet, JsonObject, Step, Variables } from './instruction-set.js';
import { createValidator, schemaFaults } from './json-schema.js';
import { checkAuthoredPayload } from './payload-check.js';
import { variablesOf } from './references.js';
import { sizeFault } from './set-size.js';
import { checkVariables } from './variables.js';

const validateShape = createValidator().compile<InstructionSet>(INSTRUCTION_SET_SCHEMA);

export interface CheckOptions {
  /** Where the set stands in the request, e.g. `data`: put before every path. */
  at?: string;
  /** Names that a submission will add, e.g. a form's fields. Null: they are not known, so none is refused. */
  variableNames?: readonly string[] | null;
}

/** Every fault of a set at once, with dotted paths (`steps[2].nodePayload.code`). It may have no steps. */
export const checkInstructionSet = (
  set: unknown,
  registry: NodeRegistry,
  options: CheckOptions = {},
): FieldFault[] => readInstructionSet(set, registry, options).faults;

/** As `checkInstructionSet`, and the set with what it leaves out filled in. `input` itself stays as it is. */
export function readInstructionSet(
  input: unknown,
  registry: NodeRegistry,
  { at = '', variableNames = [] }: CheckOptions = {},
): { set: InstructionSet; faults: FieldFault[] } {
  const set = structuredClone(input) as InstructionSet;
  // Never pushed all at once: there may be more of them than a call takes arguments.
  let faults = validateShape(set) ? [] : schemaFaults(validateShape);
  const isSound = (part: string) => !faults.some(({ field }) => field === '' || field.startsWith(part));
  if (isSound('variables')) faults = faults.concat(variableFaults(set.variables));
  if (isSound('generations')) faults = faults.concat(hashFaults(set));
  if (isSound('steps')) {
    // Names are not judged while the variables themselves are in doubt.
    const tooLarge = sizeFault(set.steps, valuesOf(set.variables));
    if (tooLarge) return { set, faults: placed([...faults, tooLarge], at) };
    const areNamesKnown = variableNames !== null && isSound('variables');
    const names = areNamesKnown ? new Set([...namesOf(set.variables), ...variableNames]) : null;
    faults = faults.concat(checkGraph(set.steps, registry), stepFaults(set, registry, names));
  }
  return { set, faults: placed(faults, at) };
}

const placed = (faults: FieldFault[], at: string): FieldFault[] =>
  faults.map(({ field, message }) => ({ field: joinPath(at, field), message }));

/**
 * What texts may be filled with. Variables may be of any form still: payloads are checked beside them, so that
 * all faults are told at once.
 */
const valuesOf = (variables: Variables): JsonObject =>
  Array.isArray(variables) ? {} : (Object(variables) as JsonObject);

/** The lane of a generation: `chromium` if any step renders, else `provider` if any waits on the outside. */
export function lanesOf({ steps }: Pick<InstructionSet, 'steps'>, registry: NodeRegistry): Lane {
  const needed = new Set(steps.map(({ nodeName }) => registry.find(nodeName)?.lane));
  // LANES begins with the rarest worker.
  return LANES.find((lane) => needed.has(lane)) ?? 'default';
}

/** Names that texts may read as `{{name}}`. */
export const namesOf = (variables: Variables): string[] =>
  Array.isArray(variables) ? variables.map(({ name }) => name) : Object.keys(variables);

const variableFaults = (variables: Variables): FieldFault[] =>
  checkVariables(variables).map(({ path, message }) => ({ field: joinPath('variables', path), message }));

function hashFaults({ generations: { hashes, use_custom_hashes } }: InstructionSet): FieldFault[] {
  const field = 'generations.hashes';
  if (use_custom_hashes && hashes.length === 0) return [{ field, message: 'must name the custom hashes' }];
  return hashes.flatMap((hash, index) => {
    if (!isHash(hash)) return [{ field: `${field}[${index}]`, message: 'is not a hash' }];
    // An edition is its collection and its hash: the same one twice would be one edition.
    if (hashes.indexOf(hash) < index) return [{ field: `${field}[${index}]`, message: 'is there twice' }];
    return [];
  });
}

/** `names`: the variables that steps may read; null: not known. */
function stepFaults(
  { steps, variables }: InstructionSet,
  registry: NodeRegistry,
  names: ReadonlySet<string> | null,
): FieldFault[] {
  const values = valuesOf(variables);
  return steps.flatMap((step, index) => {
    const node = registry.find(step.nodeName);
    const unknown = names ? unknownNames(step, node, names) : [];
    const payload = node ? checkAuthoredPayload(node, step.nodePayload, values) : [];
    const faults = [...unknown, ...payload].map(({ field, message }) => ({
      field: joinPath('nodePayload', field), message,
    }));
    if (!node) faults.push({ field: 'nodeName', message: `is not a node: "${step.nodeName}"` });
    if (node?.storedOnly) faults.push({ field: 'nodeName', message: 'runs through a stored workflow only' });
    return faults.map(({ field, message }) => ({ field: `steps[${index}].${field}`, message }));
  });
}

const unknownNames = (
  step: Step,
  node: NodeDefinition | undefined,
  names: ReadonlySet<string>,
): FieldFault[] =>
  variablesOf(step, node)
    .filter(({ name }) => !names.has(name))
    .map(({ name, at }) => ({ field: at, message: `reads a variable that does not exist: "${name}"` }));
