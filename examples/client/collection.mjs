// node collection.mjs <workflow> <editions> <folder>: makes a collection, tells how it goes, and keeps the images.
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Platen, PlatenError } from '@platen/client';

const [name = 'tidal-garden', editions = '3', folder = 'collection'] = process.argv.slice(2);
const platen = new Platen({ url: process.env.PLATEN_URL ?? 'http://127.0.0.1:3000', token: process.env.PLATEN_TOKEN });

try {
  const workflow = await platen.get('/workflows/name/{name}', { path: { name } });
  const { job_id, cost_breakdown } = await platen.post('/api/collections/generate', {
    body: { title: workflow.label ?? name, workflow_id: workflow.id, generations: Number(editions) },
  });
  console.log(`${editions} editions of ${name} for ${cost_breakdown.total_credits} credits`);

  for await (const { type, data } of platen.watch(job_id)) {
    if (type === 'generation_started') console.log(`edition ${data.generation_index + 1} is being made`);
    if (type === 'generation_completed') console.log(`edition ${data.generation_index + 1} is finished`);
    if (type === 'generation_failed') console.log(`edition ${data.generation_index + 1} failed: ${data.error.message}`);
  }

  const job = await platen.get('/jobs/{id}', { path: { id: job_id } });
  await mkdir(folder, { recursive: true });
  for (const { index, assets } of job.generations) {
    for (const { url, name: file } of assets.slice(0, 1)) {
      await writeFile(join(folder, `${index + 1}${extname(file)}`), await platen.download(url));
    }
  }
  console.log(`The job is ${job.status} and cost ${job.cost.captured} credits. The images are in ${folder}.`);
  process.exitCode = job.status === 'completed' ? 0 : 1;
} catch (error) {
  if (!(error instanceof PlatenError)) throw error;
  console.error(`${error.code}: ${error.message}`, error.details ?? '');
  process.exitCode = 1;
}
