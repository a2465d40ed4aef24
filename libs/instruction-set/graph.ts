import { DepGraph, DepGraphCycleError } from 'dependency-graph';
import type { FieldFault } from '#libs/errors/app-error.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { joinPath } from './field-path.js';
import type { Step } from './instruction-set.js';
import { parseOutputPath } from './output-path.js';
import { referencesOf, type Reference } from './references.js';

/** Cycles that are told at once. */
const MAX_CYCLES = 20;

/**
 * The steps that each step waits for, by id, in the order of `steps`. References to other collections and
 * to steps that do not exist are no edges. Without a registry, texts that a node takes verbatim are looked
 * at, too: of no matter in a stored set, where `rewriteReferences` left an author's ids in them.
 */
export function dependenciesOf(steps: readonly Step[], registry?: NodeRegistry): Map<string, string[]> {
  const ids = new Set(steps.map(({ id }) => String(id)));
  return new Map(
    steps.map((step) => {
      const needed = localReferences(step, registry).map(({ stepId }) => stepId);
      return [String(step.id), [...new Set(needed)].filter((id) => ids.has(id))];
    }),
  );
}

/** Ids of the steps whose inputs are all finished, and that are not finished themselves. */
export function readySteps(
  dependencies: ReadonlyMap<string, string[]>,
  finished: ReadonlySet<string>,
): string[] {
  return [...dependencies]
    .filter(([id, needed]) => !finished.has(id) && needed.every((dependency) => finished.has(dependency)))
    .map(([id]) => id);
}

/** Ids of the steps that no other one references: what they make is the result of the set. */
export function sinksOf(steps: readonly Step[], registry?: NodeRegistry): string[] {
  const dependencies = dependenciesOf(steps, registry);
  const referenced = new Set([...dependencies.values()].flat());
  return [...dependencies.keys()].filter((id) => !referenced.has(id));
}

/** Faults of the graph: duplicate ids, references to nothing, cycles. Paths begin at `steps`. */
export function checkGraph(steps: readonly Step[], registry: NodeRegistry): FieldFault[] {
  return [...duplicateIds(steps), ...unknownReferences(steps, registry), ...cycles(steps, registry)];
}

function duplicateIds(steps: readonly Step[]): FieldFault[] {
  const first = new Map<string, number>();
  return steps.flatMap(({ id }, index) => {
    const taken = first.get(String(id));
    if (taken === undefined) first.set(String(id), index);
    if (taken === undefined) return [];
    return [{ field: `steps[${index}].id`, message: `is the id of steps[${taken}], too` }];
  });
}

function unknownReferences(steps: readonly Step[], registry: NodeRegistry): FieldFault[] {
  const ids = new Set(steps.map(({ id }) => String(id)));
  return steps.flatMap((step, index) =>
    referencesOf(step, registry.find(step.nodeName)).flatMap((reference) => {
      const message = faultOf(reference, ids);
      return message ? [{ field: payloadField(index, reference), message }] : [];
    }),
  );
}

function faultOf({ stepId, path, collection }: Reference, ids: ReadonlySet<string>): string | undefined {
  if (collection === null && !ids.has(stepId)) return `refers to a step that does not exist: "${stepId}"`;
  if (path !== null && !parseOutputPath(path)) return `has a path that cannot be read: "${path}"`;
  return undefined;
}

/** One fault for each cycle, at the reference that closes it. */
function cycles(steps: readonly Step[], registry: NodeRegistry): FieldFault[] {
  const graph = graphOf(steps, registry);
  const faults: FieldFault[] = [];
  while (faults.length < MAX_CYCLES) {
    const cycle = findCycle(graph);
    if (!cycle) break;
    const [from, to] = cycle.slice(-2) as [string, string];
    const index = steps.findIndex(({ id }) => String(id) === from);
    const reference = localReferences(steps[index] as Step, registry).find(({ stepId }) => stepId === to);
    faults.push({
      field: payloadField(index, reference as Reference),
      message: `closes a cycle: ${cycle.join(' → ')}`,
    });
    graph.removeDependency(from, to);
  }
  return faults;
}

function graphOf(steps: readonly Step[], registry: NodeRegistry): DepGraph<Step> {
  const graph = new DepGraph<Step>();
  for (const step of steps) graph.addNode(String(step.id), step);
  for (const [id, needed] of dependenciesOf(steps, registry)) {
    for (const dependency of needed) graph.addDependency(id, dependency);
  }
  return graph;
}

function findCycle(graph: DepGraph<Step>): string[] | undefined {
  try {
    graph.overallOrder();
    return undefined;
  } catch (error) {
    if (!(error instanceof DepGraphCycleError)) throw error;
    // The library gives the way that led to the cycle as well.
    return error.cyclePath.slice(error.cyclePath.indexOf(error.cyclePath.at(-1) as string));
  }
}

const localReferences = (step: Step, registry?: NodeRegistry): Reference[] =>
  referencesOf(step, registry?.find(step.nodeName)).filter(({ collection }) => collection === null);

const payloadField = (index: number, { at }: Reference): string =>
  joinPath(`steps[${index}].nodePayload`, at);
