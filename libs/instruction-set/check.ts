import type { FieldFault } from '#libs/errors/app-error.js';
import type { Lane } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { joinPath } from './field-path.js';
import { checkGraph } from './graph.js';
import { isHash } from './hash.js';
import { INSTRUCTION_SET_SCHEMA } from './instruction-set-schema.js';
import type { InstructionSet, Variables } from './instruction-set.js';
import { createValidator, schemaFaults } from './json-schema.js';
import { checkAuthoredPayload } from './payload-check.js';
import { variablesOf } from './references.js';
import { checkVariables } from './variables.js';

const validateShape = createValidator().compile<InstructionSet>(INSTRUCTION_SET_SCHEMA);

export interface CheckOptions {
  /** Where the set stands in the request, e.g. `data`: put before every path. */
  at?: string;
  /** Names of variables that a submission will add, e.g. a form's fields. Null: not known, so none is refused. */
  variableNames?: readonly string[] | null;
}

/** Every fault of a set at once, with dotted paths (`steps[2].nodePayload.code`). A set without steps has none. */
export const checkInstructionSet = (set: unknown, registry: NodeRegistry, options: CheckOptions = {}): FieldFault[] =>
  readInstructionSet(set, registry, options).faults;

/** As `checkInstructionSet`, and the set with what it leaves out filled in. `input` itself stays as it is. */
export function readInstructionSet(
  input: unknown,
  registry: NodeRegistry,
  { at = '', variableNames = [] }: CheckOptions = {},
): { set: InstructionSet; faults: FieldFault[] } {
  const set = structuredClone(input) as InstructionSet;
  const faults = validateShape(set) ? [] : schemaFaults(validateShape);
  const isSound = (part: string) => !faults.some(({ field }) => field === '' || field.startsWith(part));
  if (isSound('variables')) faults.push(...variableFaults(set.variables));
  if (isSound('generations')) faults.push(...hashFaults(set));
  if (isSound('steps')) {
    // Names are not judged while the variables themselves are in doubt.
    const names = variableNames && isSound('variables') ? new Set([...namesOf(set.variables), ...variableNames]) : undefined;
    faults.push(...checkGraph(set.steps, registry), ...stepFaults(set, registry, names));
  }
  return { set, faults: faults.map(({ field, message }) => ({ field: joinPath(at, field), message })) };
}

/** The lane of a generation: `chromium` if any step renders, else `provider` if any waits on the outside. */
export function lanesOf({ steps }: Pick<InstructionSet, 'steps'>, registry: NodeRegistry): Lane {
  const lanes = new Set(steps.map(({ nodeName }) => registry.find(nodeName)?.lane));
  return lanes.has('chromium') ? 'chromium' : lanes.has('provider') ? 'provider' : 'default';
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

function stepFaults(set: InstructionSet, registry: NodeRegistry, names: ReadonlySet<string> | undefined): FieldFault[] {
  const known = Array.isArray(set.variables) ? {} : set.variables;
  return set.steps.flatMap((step, index) => {
    const node = registry.find(step.nodeName);
    const payload = `steps[${index}].nodePayload`;
    const unread = names ? variablesOf(step, node).filter(({ name }) => !names.has(name)) : [];
    return [
      ...unread.map(({ name, at }) => ({ field: joinPath(payload, at), message: unknownVariable(name) })),
      ...(node
        ? checkAuthoredPayload(node, step.nodePayload, known).map((fault) => ({
            ...fault,
            field: joinPath(payload, fault.field),
          }))
        : [{ field: `steps[${index}].nodeName`, message: `is not a node: "${step.nodeName}"` }]),
    ];
  });
}

const unknownVariable = (name: string) => `reads a variable that does not exist: "${name}"`;
