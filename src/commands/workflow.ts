import { existsSync } from 'node:fs';
import canonicalize from 'canonicalize';
import { PlatenError, type Platen, type WorkflowAnswer } from '#libs/client/index.js';
import { withoutOptions } from '#libs/workflows/form-options.js';
import type { AuthoredForm } from '#libs/workflows/form.js';
import { CommandFailure } from '../command-failure.js';
import { faultInFiles, isWhole, type ComponentWorkflow } from '../components/component-files.js';
import { componentsIn, formConfigsIn, shown, writeComponent, type ComponentFolder } from '../components/component-folder.js';
import { assertWhole, followJob } from '../editions/follow-job.js';
import { take } from '../listing.js';
import { printLines, printTable } from '../table.js';
import { findWorkflow, workflowNamed } from '../workflow-names.js';
import { applyFormConfig } from './form-config.js';

export interface WorkflowOptions {
  json?: true;
}

export interface ListOptions extends WorkflowOptions {
  type?: string;
  tag?: string;
  q?: string;
}

type StoredWorkflow = ComponentWorkflow & Pick<WorkflowAnswer, 'id' | 'version'>;

interface Applied {
  name: string;
  id: string;
  version: number;
  result: 'created' | 'saved' | 'unchanged';
}

const PAGE = 100;

/** `platen workflow apply <folder…>`: stores component directories, and the option lists in `_form_confs` beside them. */
export async function applyWorkflows(client: Platen, folders: string[], { json }: WorkflowOptions): Promise<void> {
  const components = folders.flatMap(componentsIn);
  const applied: Applied[] = [];
  for (const file of folders.flatMap(formConfigsIn)) await applyFormConfig(client, file);
  for (const component of components) applied.push(await applyComponent(client, component));
  if (json) return printLines([JSON.stringify(applied)]);
  printTable(['workflow', 'version', ''], applied.map(({ name, version, result }) => [name, String(version), result]));
}

/** `platen workflow get <name> [folder]`: writes a stored workflow as a component directory. */
export async function getWorkflow(
  client: Platen,
  name: string,
  folder: string | undefined,
  options: WorkflowOptions,
): Promise<void> {
  const workflow = asAuthored(await workflowNamed(client, name));
  if (options.json) return printLines([JSON.stringify(workflow)]);
  if (!isWhole(workflow)) throw new CommandFailure(`${name} is another's: only its form is open.`);
  printLines(writeComponent(folder ?? name, workflow));
}

/** `platen workflow list`: public ones and one's own. */
export async function listWorkflows(client: Platen, { json, type, tag, q }: ListOptions): Promise<void> {
  const query = { limit: PAGE, ...(type && { type }), ...(tag && { tag }), ...(q && { q }) };
  const workflows = await take(client.list('/workflows', { query }));
  if (json) return printLines([JSON.stringify(workflows)]);
  printTable(['workflow', 'type', 'credits', 'tags'], workflows.map(rowOf));
}

/** `platen workflow test <name or folder>`: stores the folder, makes one generation of it and waits for its end. */
export async function testWorkflow(client: Platen, target: string, { json }: WorkflowOptions): Promise<void> {
  const id = existsSync(target) ? await applyOne(client, target) : (await workflowNamed(client, target)).id;
  const { job_id: jobId } = await client.post('/workflows/{id}/test', { path: { id }, body: {} });
  const job = await followJob(client, jobId);
  assertWhole(job);
  if (json) return printLines([JSON.stringify(job)]);
  const assets = job.generations.flatMap((generation) => generation.assets);
  printLines([...assets.map(({ url }) => url), `Cost: ${job.cost.captured} credits.`]);
}

async function applyOne(client: Platen, folder: string): Promise<string> {
  const [component, ...others] = componentsIn(folder);
  if (!component || others.length > 0) throw new CommandFailure(`${folder} holds more than one workflow.`);
  return (await applyComponent(client, component)).id;
}

async function applyComponent(client: Platen, { path, workflow }: ComponentFolder): Promise<Applied> {
  const found = await findWorkflow(client, workflow.name);
  const stored = found && asAuthored(found);
  if (stored && isSame(stored, asAuthored(workflow))) return { ...appliedOf(stored), result: 'unchanged' };
  try {
    return stored
      ? { ...appliedOf(await client.put('/workflows/{id}', { path: { id: stored.id }, body: workflow })), result: 'saved' }
      : { ...appliedOf(await client.post('/workflows', { body: workflow })), result: 'created' };
  } catch (error) {
    if (!(error instanceof PlatenError) || error.faults.length === 0) throw error;
    throw new CommandFailure(error.faults.map((fault) => `${shown(path)}/${faultInFiles(fault)}`).join('\n'));
  }
}

/** Options that come from a list of their own (`conf_file`) are no part of a workflow's files. */
function asAuthored<Workflow extends Pick<WorkflowAnswer, 'data'>>(workflow: Workflow): Workflow {
  const { data } = workflow;
  if (!('form' in data)) return workflow;
  return { ...workflow, data: { ...data, form: withoutOptions(data['form'] as AuthoredForm | null) } };
}

const appliedOf = ({ name, id, version }: Pick<WorkflowAnswer, 'name' | 'id' | 'version'>) => ({ name, id, version });

/** A version more for nothing would only make the history longer. */
function isSame(stored: StoredWorkflow, workflow: ComponentWorkflow): boolean {
  const known = Object.fromEntries(Object.keys(workflow).map((key) => [key, stored[key as keyof StoredWorkflow]]));
  return canonicalize(known) === canonicalize(workflow);
}

function rowOf({ name, type, tags, price }: WorkflowAnswer): string[] {
  const { min, max } = price.per_generation;
  const each = min === max ? `${min}` : `${min}–${max}`;
  return [name, type, price.base > 0 ? `${price.base} + ${each}` : each, tags.join(', ')];
}
