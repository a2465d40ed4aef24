import { distance } from 'fastest-levenshtein';
import { validate } from 'uuid';
import { PlatenError, type Platen, type WorkflowAnswer } from '#libs/client/index.js';
import { CommandFailure } from './command-failure.js';
import { take } from './listing.js';

/** Names that are looked at to find what was meant. */
const KNOWN_AT_MOST = 1_000;
const SUGGESTED_AT_MOST = 3;

/** A workflow by its name or its id. */
export async function findWorkflow(client: Platen, name: string): Promise<WorkflowAnswer | undefined> {
  try {
    return await (validate(name)
      ? client.get('/workflows/{id}', { path: { id: name } })
      : client.get('/workflows/name/{name}', { path: { name } }));
  } catch (error) {
    if (error instanceof PlatenError && error.code === 'WORKFLOW_NOT_FOUND') return undefined;
    throw error;
  }
}

/** As `findWorkflow`; where there is none, the failure tells the names that come nearest. */
export async function workflowNamed(client: Platen, name: string): Promise<WorkflowAnswer> {
  const workflow = await findWorkflow(client, name);
  if (workflow) return workflow;
  const known = await take(client.list('/workflows', { query: { limit: 100 } }), KNOWN_AT_MOST);
  const near = nearest(name, known.map((one) => one.name));
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : '`platen workflow list` shows them all.';
  throw new CommandFailure(`There is no workflow "${name}". ${hint}`);
}

/** Names with something of the given one in them, and those that a few slips of the finger make of it. */
export function nearest(name: string, names: string[]): string[] {
  const wanted = name.toLowerCase();
  const slips = Math.max(1, Math.floor(wanted.length / 3));
  return names
    .map((known) => ({ known, far: known.toLowerCase().includes(wanted) ? 0 : distance(wanted, known.toLowerCase()) }))
    .filter(({ far }) => far <= slips)
    .sort((one, other) => one.far - other.far)
    .slice(0, SUGGESTED_AT_MOST)
    .map(({ known }) => known);
}
