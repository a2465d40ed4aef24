import { randomUUID } from 'node:crypto';
import type { Database } from '#libs/database/database.js';
import type { StoredWorkflow, WorkflowInput } from '#libs/workflows/stored-workflow.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';

/** A public pipeline of two `echo` steps with a form (`size` 1–10, `word`) and a price, but for what `differs`. */
export const buildWorkflow = (differs: Partial<WorkflowInput> = {}): WorkflowInput => ({
  name: `workflow-${randomUUID()}`,
  label: 'Two echoes',
  description: null,
  type: 'pipeline',
  output_mime_type: 'application/json',
  visibility: 'public',
  tags: [],
  data: {
    form: {
      config: { maxNumberOfGenerations: 5 },
      fields: [
        { id: 'size', type: 'slider', default: 3, constraints: { min: 1, max: 10 } },
        { id: 'word', type: 'input', required: true },
      ],
    },
    credits: { base: 0.5, per_generation: 0.25 },
    pipeline: {
      steps: [
        { id: 'first', nodeName: 'echo', nodePayload: { value: '{{word}} {{size}}' } },
        { id: 'second', nodeName: 'echo', nodePayload: { value: { $ref: 'first' }, text: 'of {{$ref:first}}' } },
      ],
    },
  },
  ...differs,
});

export function createWorkflow(
  database: Database,
  author: string,
  differs: Partial<WorkflowInput> = {},
): Promise<StoredWorkflow> {
  return database.transaction((tx) =>
    new WorkflowCatalog(database).create(tx, { userId: author, role: 'user' }, buildWorkflow(differs)),
  );
}
