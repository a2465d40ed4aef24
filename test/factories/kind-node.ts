import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { defineNode, type NodeContext, type NodeDefinition } from '#libs/nodes/node.js';
import type { WorkflowKind } from '#libs/workflows/kinds/workflow-kind.js';
import { systemValuesOf } from '#libs/workflows/system-values.js';

/** What a step of `kindNode` is given: a stored workflow's data, and the values of its form. */
export interface Called {
  data: JsonObject;
  values?: JsonObject;
  outputType?: string;
}

/** A node that does what any stored workflow of a kind does: its payload is the workflow's data and its values. */
export function kindNode(name: string, { step }: WorkflowKind, inner: NodeDefinition): NodeDefinition {
  if (!step) throw new Error('Workflows of this kind do not run as a step');
  const prepared = (context: NodeContext): NodeContext => {
    const { data, values = {}, outputType = 'application/json' } = context.payload as unknown as Called;
    return { ...context, payload: step.payload(data, values, systemValuesOf(context, values, 'shelf'), outputType) };
  };
  return defineNode<JsonObject>({
    ...inner, name, aliases: [], payload: { type: 'object', properties: { data: { verbatim: true } } },
    run: (context) => inner.run(prepared(context)),
    ...(inner.poll && { poll: (context, reference) => inner.poll!(prepared(context), reference) }),
    ...(inner.find && { find: (context, token) => inner.find!(prepared(context), token) }),
  });
}
