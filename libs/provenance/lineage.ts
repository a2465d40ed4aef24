import { dependenciesOf } from '#libs/instruction-set/graph.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';

/** A step of a file's lineage. */
export interface Ancestor {
  step: Step;
  /** Ids of the steps whose outputs it takes. */
  dependsOn: string[];
  /** Somebody outside decides what it gives: it may give something else another time. */
  asksOutside: boolean;
}

/** The step that made a file and all that went into it, in the order of the set. Empty: the set has no such step. */
export function lineageOf(steps: readonly Step[], stepId: string, registry: NodeRegistry): Ancestor[] {
  const dependencies = dependenciesOf(steps, registry);
  const wanted = new Set<string>();
  const open = [stepId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (wanted.has(id)) continue;
    wanted.add(id);
    open.push(...(dependencies.get(id) ?? []));
  }
  return steps
    .filter(({ id }) => wanted.has(String(id)))
    .map((step) => ({
      step,
      dependsOn: dependencies.get(String(step.id)) ?? [],
      // A node that is not there any more can tell nothing.
      asksOutside: registry.find(step.nodeName)?.asksOutside?.(step.nodePayload) ?? false,
    }));
}
