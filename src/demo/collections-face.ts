import type { PlatenClient } from '../client/platen-client.js';
import { CommandFailure } from '../command-failure.js';
import { followJob, type DemoGeneration } from './collection-run.js';
import { say, type Exhibition } from './demo-face.js';
import { shortHash } from './edition-bars.js';
import type { Picture } from './output-folder.js';

interface Example {
  id: string;
  name: string;
  label: string;
}

/** The example that is shown. */
const SKETCH = 'tidal-garden';
const EDITIONS = 6;

/** One call makes six editions of a sketch. */
export async function makeCollection(client: PlatenClient): Promise<Exhibition> {
  const { id, label: title } = await findExample(client);
  const request = { title, workflow_id: id, generations: EDITIONS };
  say(`POST /api/collections/generate ${JSON.stringify(request)}\n`);
  const { job_id: jobId } = await client.post<{ job_id: string }>('/api/collections/generate', request);
  const { generations } = await followJob(client, jobId);
  const pictures: Picture[] = [];
  for (const generation of generations) pictures.push(await pictureOf(client, generation));
  return { title, subtitle: `${EDITIONS} editions of one sketch, each drawn by its hash`, kind: 'editions', pictures };
}

async function findExample(client: PlatenClient): Promise<Example> {
  const { items } = await client.get<{ items: Example[] }>(`/workflows?tag=example&q=${SKETCH}&limit=100`);
  const example = items.find(({ name }) => name === SKETCH);
  if (!example) throw new CommandFailure(`There is no example named ${SKETCH}.`);
  return example;
}

async function pictureOf(client: PlatenClient, { index, hash, traits, assets }: DemoGeneration): Promise<Picture> {
  const image = await client.download(assets[0]?.url ?? '');
  const notes = traits.map(({ trait_type: name, value }) => `${name} ${String(value)}`);
  return { file: `edition-${index + 1}.png`, image, name: `${index + 1}   ${shortHash(hash)}`, notes };
}
