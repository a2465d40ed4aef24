import { existsSync } from 'node:fs';
import canonicalize from 'canonicalize';
import { withoutOptions } from '#libs/workflows/form-options.js';
import type { AuthoredForm } from '#libs/workflows/form.js';
import { Refusal } from '../client/refusal.js';
import type { PlatenClient } from '../client/platen-client.js';
import { CommandFailure } from '../command-failure.js';
import { faultInFiles, isWhole, type ComponentWorkflow } from '../components/component-files.js';
import { componentsIn, formConfigsIn, shown, writeComponent, type ComponentFolder } from '../components/component-folder.js';
import { followJob } from '../demo/collection-run.js';
import { printLines, printTable } from '../table.js';
import { applyFormConfig } from './form-config.js';

export interface WorkflowOptions {
  json?: true;
}

export interface ListOptions extends WorkflowOptions {
  type?: string;
  tag?: string;
  q?: string;
}

interface StoredWorkflow extends ComponentWorkflow {
  id: string;
  version: number;
  price: { base: number; per_generation: { min: number; max: number } };
}

interface Applied {
  name: string;
  id: string;
  version: number;
  result: 'created' | 'saved' | 'unchanged';
}

const PAGE = 100;

/** `platen workflow apply <folder…>`: stores component directories, and the option lists in `_form_confs` beside them. */
export async function applyWorkflows(client: PlatenClient, folders: string[], { json }: WorkflowOptions): Promise<void> {
  const components = folders.flatMap(componentsIn);
  const applied: Applied[] = [];
  for (const file of folders.flatMap(formConfigsIn)) await applyFormConfig(client, file);
  for (const component of components) applied.push(await applyComponent(client, component));
  if (json) return printLines([JSON.stringify(applied)]);
  printTable(['workflow', 'version', ''], applied.map(({ name, version, result }) => [name, String(version), result]));
}

/** `platen workflow get <name> [folder]`: writes a stored workflow as a component directory. */
export async function getWorkflow(
  client: PlatenClient,
  name: string,
  folder: string | undefined,
  options: WorkflowOptions,
): Promise<void> {
  const workflow = await findWorkflow(client, name);
  if (!workflow) throw new CommandFailure(`There is no workflow "${name}".`);
  if (options.json) return printLines([JSON.stringify(workflow)]);
  if (!isWhole(workflow)) throw new CommandFailure(`${name} is another's: only its form is open.`);
  printLines(writeComponent(folder ?? name, workflow));
}

/** `platen workflow list`: public ones and one's own. */
export async function listWorkflows(client: PlatenClient, { json, type, tag, q }: ListOptions): Promise<void> {
  const filters = Object.entries({ type, tag, q }).filter((filter): filter is [string, string] => !!filter[1]);
  const query = new URLSearchParams([...filters, ['limit', String(PAGE)]]);
  const workflows: StoredWorkflow[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    if (cursor) query.set('cursor', cursor);
    const page: { items: StoredWorkflow[]; next_cursor: string | null } = await client.get(`/workflows?${query}`);
    workflows.push(...page.items);
    cursor = page.next_cursor;
  }
  if (json) return printLines([JSON.stringify(workflows)]);
  printTable(['workflow', 'type', 'credits', 'tags'], workflows.map(rowOf));
}

/** `platen workflow test <name or folder>`: stores the folder, makes one generation of it and waits for its end. */
export async function testWorkflow(client: PlatenClient, target: string, { json }: WorkflowOptions): Promise<void> {
  const id = existsSync(target) ? await applyOne(client, target) : (await findWorkflow(client, target))?.id;
  if (!id) throw new CommandFailure(`There is no workflow "${target}", and no such folder.`);
  const { job_id: jobId } = await client.post<{ job_id: string }>(`/workflows/${id}/test`, {});
  const job = await followJob(client, jobId);
  if (json) return printLines([JSON.stringify(job)]);
  const assets = job.generations.flatMap((generation) => generation.assets);
  printLines([...assets.map(({ url }) => url), `Cost: ${job.cost.captured} credits.`]);
}

async function applyOne(client: PlatenClient, folder: string): Promise<string> {
  const [component, ...others] = componentsIn(folder);
  if (!component || others.length > 0) throw new CommandFailure(`${folder} holds more than one workflow.`);
  return (await applyComponent(client, component)).id;
}

async function applyComponent(client: PlatenClient, { path, workflow }: ComponentFolder): Promise<Applied> {
  const stored = await findWorkflow(client, workflow.name);
  if (stored && isSame(stored, asAuthored(workflow))) return { ...appliedOf(stored), result: 'unchanged' };
  try {
    return stored
      ? { ...appliedOf(await client.put<StoredWorkflow>(`/workflows/${stored.id}`, workflow)), result: 'saved' }
      : { ...appliedOf(await client.post<StoredWorkflow>('/workflows', workflow)), result: 'created' };
  } catch (error) {
    if (!(error instanceof Refusal) || error.faults.length === 0) throw error;
    throw new CommandFailure(error.faults.map((fault) => `${shown(path)}/${faultInFiles(fault)}`).join('\n'));
  }
}

async function findWorkflow(client: PlatenClient, name: string): Promise<StoredWorkflow | undefined> {
  try {
    return asAuthored(await client.get<StoredWorkflow>(`/workflows/name/${encodeURIComponent(name)}`));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'WORKFLOW_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Options that come from a list of their own (`conf_file`) are no part of a workflow's files. */
const asAuthored = <Workflow extends ComponentWorkflow>({ data, ...workflow }: Workflow) => ({
  ...workflow,
  data: 'form' in data ? { ...data, form: withoutOptions(data['form'] as AuthoredForm | null) } : data,
}) as unknown as Workflow;

const appliedOf = ({ name, id, version }: StoredWorkflow) => ({ name, id, version });

/** A version more for nothing would only make the history longer. */
function isSame(stored: StoredWorkflow, workflow: ComponentWorkflow): boolean {
  const known = Object.fromEntries(Object.keys(workflow).map((key) => [key, stored[key as keyof StoredWorkflow]]));
  return canonicalize(known) === canonicalize(workflow);
}

function rowOf({ name, type, tags, price }: StoredWorkflow): string[] {
  const { min, max } = price.per_generation;
  const each = min === max ? `${min}` : `${min}–${max}`;
  return [name, type, price.base > 0 ? `${price.base} + ${each}` : each, tags.join(', ')];
}
