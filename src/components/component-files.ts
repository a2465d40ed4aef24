import type { FieldFault } from '#libs/errors/app-error.js';
import type { WorkflowInput } from '#libs/workflows/stored-workflow.js';
import { CommandFailure } from '../command-failure.js';

/** A workflow as the API takes and gives it. */
export type ComponentWorkflow = Omit<WorkflowInput, 'data'> & { data: Record<string, unknown> };

/** Texts of a component directory, by file name. */
export type ComponentFiles = Map<string, string>;

/** What of a workflow is no part of `data`, and the one part that is a mere number. All of it may be left out. */
const ABOUT = 'component.json';
const CREDITS = 'credits.js';
/** The parts of `data` that are files of their own. */
const PARTS = [
  'form', 'inputs', 'workflow', 'api', 'body', 'job', 'pipeline', 'required_models', 'test',
] as const;
/** Which file makes a directory which kind of workflow. The first that has something in it counts. */
const KINDS: ReadonlyArray<[file: string, type: string]> = [
  ['api.json', 'fetch_api'],
  ['job.json', 'direct_job'],
  ['pipeline.json', 'pipeline'],
  ['workflow.json', 'comfy_workflow'],
];
const IMAGE = 'image/png';

export const isComponentFile = (name: string): boolean =>
  name === ABOUT || name === CREDITS || PARTS.some((part) => name === `${part}.json`);

/** The workflow that a directory called `folder` holds. Throws a sentence that names the file that cannot be read. */
export function workflowOf(folder: string, files: ComponentFiles): ComponentWorkflow {
  const about = objectIn(files, ABOUT);
  const { estimated_duration, credits, ...named } = about;
  const type = named['type'] ?? typeIn(files);
  const data: Record<string, unknown> = {};
  for (const part of PARTS) {
    const value = jsonIn(files, `${part}.json`);
    if (value !== undefined && !(part === 'workflow' && type !== 'comfy_workflow')) data[part] = value;
  }
  const script = files.get(CREDITS) ?? credits;
  if (script !== undefined) data['credits'] = script;
  if (estimated_duration !== undefined) data['estimated_duration'] = estimated_duration;
  return {
    name: folder, label: null, description: null, visibility: 'private', tags: [],
    output_mime_type: type === 'basic' ? null : IMAGE,
    ...named,
    type: String(type),
    data,
  };
}

/** The files of a workflow: `workflowOf` makes an equal one of them. */
export function filesOf({ data, ...workflow }: ComponentWorkflow): ComponentFiles {
  const { name, label, description, type, output_mime_type, visibility, tags } = workflow;
  const { credits, estimated_duration } = data;
  const files: ComponentFiles = new Map();
  const about = {
    name, label, description, type, output_mime_type, visibility, tags,
    ...(isGiven(estimated_duration) && { estimated_duration }),
    // A fixed price is no script.
    ...(isGiven(credits) && typeof credits !== 'string' && { credits }),
  };
  files.set(ABOUT, textOf(about));
  if (typeof credits === 'string') files.set(CREDITS, credits);
  for (const part of PARTS) if (isGiven(data[part])) files.set(`${part}.json`, textOf(data[part]));
  return files;
}

/** Whether what runs is there: strangers are shown the form alone. */
export const isWhole = ({ type, data }: ComponentWorkflow): boolean =>
  type === 'basic' || KINDS.some(([file]) => isGiven(data[file.replace('.json', '')]));

/** A fault of the API's as it concerns the directory: `form.json: fields[0].id must be string`. */
export function faultInFiles({ field, message }: FieldFault): string {
  const inside = /^data\.(\w+)\.?(.*)$/.exec(field);
  if (!inside) return `${ABOUT}: ${field} ${message}`;
  const [, part, path] = inside as unknown as [string, string, string];
  if (part === 'credits') return `${CREDITS}: ${message}`;
  const isFile = PARTS.some((known) => known === part);
  return [isFile ? `${part}.json:` : `${ABOUT}: ${part}`, path, message].filter(Boolean).join(' ');
}

function typeIn(files: ComponentFiles): string {
  for (const [file, type] of KINDS) {
    if (Object.keys(Object(jsonIn(files, file)) as object).length > 0) return type;
  }
  const empty = KINDS.find(([file]) => files.has(file));
  if (empty) throw new CommandFailure(`${empty[0]}: is empty, and no other file says what there is to run`);
  return 'basic';
}

function objectIn(files: ComponentFiles, name: string): Record<string, unknown> {
  const value = jsonIn(files, name) ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new CommandFailure(`${name}: must be an object`);
  return value as Record<string, unknown>;
}

/** An empty file is as none. */
function jsonIn(files: ComponentFiles, name: string): unknown {
  const text = files.get(name)?.trim();
  if (!text) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CommandFailure(`${name}: is not JSON: ${(error as Error).message}`);
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
const textOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
