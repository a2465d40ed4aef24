import type { JobAnswer, Platen, WorkflowAnswer } from '#libs/client/index.js';
import { folderNameOf, saveEditions } from '../editions/edition-files.js';
import { assertWhole, followJob } from '../editions/follow-job.js';
import { printLines } from '../table.js';
import { workflowNamed } from '../workflow-names.js';

export interface GenerateOptions {
  var?: Record<string, string>;
  editions: number;
  title?: string;
  /** Default: the workflow's name. */
  out?: string;
  json?: true;
}

const TITLE_LENGTH = 100;

/** `platen generate <workflow>`: makes a collection, shows how far each edition is, and writes what was made. */
export async function generate(client: Platen, name: string, options: GenerateOptions): Promise<void> {
  const workflow = await workflowNamed(client, name);
  const body = {
    title: options.title ?? (workflow.label ?? workflow.name).slice(0, TITLE_LENGTH),
    workflow_id: workflow.id,
    variables: variablesOf(workflow, options.var ?? {}),
    generations: options.editions,
  };
  const { job_id: id } = await client.post('/api/collections/generate', { body });
  const job = await followJob(client, id);
  const files = await saveEditions(client, job, options.out ?? folderNameOf(workflow.name));
  if (options.json) printLines([JSON.stringify({ ...job, files })]);
  else printLines([...files.map(({ path }) => path), summaryOf(job)]);
  assertWhole(job);
}

/** How a job has ended, in a line. */
export const summaryOf = ({ counts, cost }: JobAnswer): string =>
  `${counts.completed} of ${counts.total} editions, ${cost.captured} credits.`;

/** Values as the form wants them: text where it takes text, else JSON where it is some. */
export function variablesOf({ form_schema: schema }: Pick<WorkflowAnswer, 'form_schema'>, given: Record<string, string>) {
  const fields = Object(schema['properties']) as Record<string, { type?: string; enum?: unknown[] }>;
  const isText = (name: string, text: string) => fields[name]?.type === 'string' || fields[name]?.enum?.includes(text);
  const entries = Object.entries(given).map(([name, text]) => [name, isText(name, text) ? text : jsonOr(text)]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
