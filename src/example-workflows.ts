import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NIL } from 'uuid';
import { Database } from '#libs/database/database.js';
import { AppError } from '#libs/errors/app-error.js';
import type { WorkflowInput } from '#libs/workflows/stored-workflow.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { componentsIn } from './components/component-folder.js';
import { withDataSource } from './schema.js';

/** The author of what comes with Platen. */
const PLATEN = { userId: NIL, role: 'admin' as const };
const SIZE = { width: 1024, height: 1024 };

const sketches = new URL('../../examples/sketches/', import.meta.url);
const components = new URL('../../examples/workflows/', import.meta.url);

/** Stores the examples that are not there yet; one that an operator has changed stays as it is. */
export function storeExampleWorkflows(databaseUrl: string): Promise<void> {
  return withDataSource(databaseUrl, async (source) => {
    const database = new Database(source);
    const catalog = new WorkflowCatalog(database);
    // Lists show the newest first: what needs nothing but Platen is stored last.
    for (const example of [...exampleComponents(), ...exampleSketches()]) {
      await catalog.create(database, PLATEN, example).catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === 'NAME_TAKEN')) throw error;
      });
    }
  });
}

/** A public pipeline of one p5 step per sketch in `examples/sketches`. */
export function exampleSketches(): WorkflowInput[] {
  if (!existsSync(sketches)) return [];
  const files = readdirSync(sketches).filter((name) => name.endsWith('.js'));
  return files.sort().map((file) => ({
    name: basename(file, '.js'),
    label: titleOf(basename(file, '.js')),
    description: null,
    type: 'pipeline',
    output_mime_type: 'image/png',
    visibility: 'public',
    tags: ['example'],
    data: {
      credits: { base: 0.5, per_generation: 0.25 },
      pipeline: { version: 'v2', steps: [{ id: 1, nodeName: 'p5', alias: 'art', nodePayload: payloadOf(file) }] },
    },
  }));
}

/** The component directories of `examples/workflows`, one of each kind at least. */
export function exampleComponents(): WorkflowInput[] {
  if (!existsSync(components)) return [];
  return componentsIn(fileURLToPath(components)).map(({ workflow }) => ({ ...workflow, visibility: 'public' }));
}

function payloadOf(file: string) {
  return { code: readFileSync(new URL(file, sketches), 'utf8'), ...SIZE };
}

function titleOf(name: string): string {
  return name.replaceAll('-', ' ').replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
