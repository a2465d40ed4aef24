import { basicKind } from './basic.kind.js';
import { comfyWorkflowKind } from './comfy-workflow.kind.js';
import { directJobKind } from './direct-job.kind.js';
import { fetchApiKind } from './fetch-api.kind.js';
import { pipelineKind } from './pipeline.kind.js';
import type { WorkflowKind } from './workflow-kind.js';

/** Every kind of stored workflow: one line each. */
export const WORKFLOW_KINDS: readonly WorkflowKind[] = [
  basicKind, comfyWorkflowKind, directJobKind, fetchApiKind, pipelineKind,
];

export const workflowKindNames = (): string[] => WORKFLOW_KINDS.map(({ name }) => name);

/** The kind of that name or alias. */
export const findWorkflowKind = (name: unknown): WorkflowKind | undefined =>
  WORKFLOW_KINDS.find((kind) => kind.name === name || kind.aliases.some((alias) => alias === name));

/** The kind of a workflow that is stored: its name was checked when it was saved. */
export function workflowKindOf({ type: name }: { type: string }): WorkflowKind {
  const kind = findWorkflowKind(name);
  if (!kind) throw new Error(`A workflow of type ${name} is stored, which this version does not know`);
  return kind;
}
