import type { GenerationAnswer, Platen, WorkflowAnswer } from '#libs/client/index.js';
import { CommandFailure } from '../command-failure.js';
import { shortHash } from '../editions/edition-bars.js';
import { assertWhole, followJob } from '../editions/follow-job.js';
import { say, type Exhibition } from './demo-face.js';
import type { Picture } from './output-folder.js';

/** The example that is shown. */
const SKETCH = 'tidal-garden';
const EDITIONS = 6;

/** One call makes six editions of a sketch. */
export async function makeCollection(client: Platen): Promise<Exhibition> {
  const { id, name, label } = await findExample(client);
  const title = label ?? name;
  const request = { title, workflow_id: id, generations: EDITIONS };
  say(`POST /api/collections/generate ${JSON.stringify(request)}\n`);
  const { job_id: jobId } = await client.post('/api/collections/generate', { body: request });
  const job = await followJob(client, jobId, process.stdout);
  assertWhole(job);
  const pictures: Picture[] = [];
  for (const generation of job.generations) pictures.push(await pictureOf(client, generation));
  return { title, subtitle: `${EDITIONS} editions of one sketch, each drawn by its hash`, kind: 'editions', pictures };
}

async function findExample(client: Platen): Promise<WorkflowAnswer> {
  const { items } = await client.get('/workflows', { query: { tag: 'example', q: SKETCH, limit: 100 } });
  const example = items.find(({ name }) => name === SKETCH);
  if (!example) throw new CommandFailure(`There is no example named ${SKETCH}.`);
  return example;
}

async function pictureOf(client: Platen, { index, hash, traits, assets }: GenerationAnswer): Promise<Picture> {
  const image = Buffer.from(await client.download(assets[0]?.url ?? ''));
  const notes = traits.map(({ trait_type: name, value }) => `${name} ${String(value)}`);
  return { file: `edition-${index + 1}.png`, image, name: `${index + 1}   ${shortHash(hash)}`, notes };
}
