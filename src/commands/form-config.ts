import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PlatenError, type FormConfigBody, type Platen } from '#libs/client/index.js';
import { CommandFailure } from '../command-failure.js';
import { formConfigsIn, shown } from '../components/component-folder.js';
import { printLines } from '../table.js';

/** `platen form-config apply <folder>`: stores the option lists of a folder, each under its file's name. For admins. */
export async function applyFormConfigs(client: Platen, folder: string): Promise<void> {
  const files = formConfigsIn(folder);
  if (files.length === 0) throw new CommandFailure(`${folder} has no _form_confs/*.json.`);
  for (const file of files) printLines([`${await applyFormConfig(client, file)} is stored.`]);
}

/** Stores one list, in place of the one of that name; returns the name. */
export async function applyFormConfig(client: Platen, file: string): Promise<string> {
  const name = basename(file, '.json');
  const body = { name, options: listIn(file) };
  try {
    const known = await find(client, name);
    await (known
      ? client.put('/form-configs/{id}', { path: { id: known.id }, body })
      : client.post('/form-configs', { body }));
    return name;
  } catch (error) {
    if (!(error instanceof PlatenError)) throw error;
    const faults = error.faults.map(({ field, message }) => `${field} ${message}`);
    throw new CommandFailure(`${shown(file)}: ${faults.length > 0 ? faults.join('; ') : error.message}`);
  }
}

async function find(client: Platen, name: string): Promise<{ id: string } | undefined> {
  try {
    return await client.get('/form-configs/name/{name}', { path: { name } });
  } catch (error) {
    if (error instanceof PlatenError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function listIn(file: string): FormConfigBody['options'] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FormConfigBody['options'];
  } catch (error) {
    throw new CommandFailure(`${shown(file)}: is not JSON: ${(error as Error).message}`);
  }
}
