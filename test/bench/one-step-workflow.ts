import type { SubmitLoad } from './load/submitters.js';
import type { Platen, PlatenUser } from './platen.js';

/** What to submit, and of which workflow. */
export type OneStepTarget = Pick<SubmitLoad, 'url' | 'path' | 'callers' | 'body'> & { workflowId: string };

/** Saves a public workflow of one step that does nothing but write its text, and says how to submit it. */
export async function oneStepWorkflow(platen: Platen, users: PlatenUser[]): Promise<OneStepTarget> {
  const [author] = users;
  if (!author) throw new Error('A workflow needs an author');
  const { id } = await platen.post<{ id: string }>(author, '/workflows', {
    name: 'Nothing but a text',
    type: 'pipeline',
    output_mime_type: 'text/plain',
    visibility: 'public',
    data: {
      form: { fields: [{ id: 'subject', type: 'input', default: 'Rings' }] },
      credits: { per_generation: 1 },
      pipeline: { version: 'v2', steps: [{ id: 'text', nodeName: 'prompt', nodePayload: { template: '{{subject}}' } }] },
    },
  });
  return {
    workflowId: id,
    url: platen.url,
    path: '/api/collections/generate',
    callers: users.map(({ headers }) => ({ headers })),
    body: { title: 'Benchmark', workflow_id: id, variables: { subject: 'Nothing' }, generations: 1 },
  };
}
