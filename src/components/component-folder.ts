import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { CommandFailure } from '../command-failure.js';
import { filesOf, isComponentFile, workflowOf, type ComponentFiles, type ComponentWorkflow } from './component-files.js';

/** Option lists that forms name as `conf_file`, beside the components that use them. */
const FORM_CONFIGS = '_form_confs';
const MAX_FILE_BYTES = 1024 * 1024;

export interface ComponentFolder {
  path: string;
  workflow: ComponentWorkflow;
}

/** Of a folder: itself when it is a component directory, else those in it. */
export function componentsIn(path: string): ComponentFolder[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandFailure(`${path} is not a directory.`);
  }
  if (isComponent(path)) return [readComponent(path)];
  const inside = foldersIn(path).filter(isComponent);
  if (inside.length === 0) throw new CommandFailure(`${path} has no form.json or other file of a workflow in it.`);
  return inside.map(readComponent);
}

/** Files of option lists in or beside `path`; none when there is no such folder. */
export function formConfigsIn(path: string): string[] {
  const folder = basename(resolve(path)) === FORM_CONFIGS ? path : join(path, FORM_CONFIGS);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => join(folder, name));
}

export function readComponent(path: string): ComponentFolder {
  const files: ComponentFiles = new Map();
  for (const name of readdirSync(path).filter(isComponentFile)) files.set(name, readText(join(path, name)));
  try {
    return { path, workflow: workflowOf(basename(resolve(path)), files) };
  } catch (error) {
    throw error instanceof CommandFailure ? new CommandFailure(`${shown(path)}/${error.message}`) : error;
  }
}

/** Makes the directory what the workflow is; other files in it stay. */
export function writeComponent(path: string, workflow: ComponentWorkflow): string[] {
  mkdirSync(path, { recursive: true });
  const files = filesOf(workflow);
  for (const name of readdirSync(path)) if (isComponentFile(name) && !files.has(name)) rmSync(join(path, name));
  for (const [name, text] of files) writeFileSync(join(path, name), text);
  return [...files.keys()].map((name) => shown(join(path, name)));
}

export const shown = (path: string): string => relative(process.cwd(), path) || '.';

const isComponent = (path: string): boolean => readdirSync(path).some(isComponentFile);

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== FORM_CONFIGS)
    .map(({ name }) => join(path, name))
    .sort();

function readText(path: string): string {
  const { size } = statSync(path);
  if (size > MAX_FILE_BYTES) throw new CommandFailure(`${shown(path)}: is larger than 1 MiB`);
  return readFileSync(path, 'utf8');
}
