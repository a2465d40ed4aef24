import { WORKFLOW_KINDS } from '#libs/workflows/kinds/index.js';
import type { WorkflowKind } from '#libs/workflows/kinds/workflow-kind.js';

/** Makes workflows of type `one_step` run as one step of `node`, which gets all that a kind can give it. */
export function addOneStepKind(node: string): void {
  const kind: WorkflowKind = {
    name: 'one_step', aliases: [], parts: {}, required: [],
    names: ({ inputs }) => (inputs ?? []) as string[],
    step: { node, payload: (data, values, system) => ({ values, system, test: data.test ?? null }) },
  };
  (WORKFLOW_KINDS as WorkflowKind[]).push(kind);
}
