import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { v7 as uuid } from 'uuid';
import { startAllInOne, type AllInOne } from '../all-in-one.js';
import { PlatenClient } from '../client/platen-client.js';
import { CommandFailure } from '../command-failure.js';
import { followJob, type DemoGeneration, type DemoJob } from '../demo/collection-run.js';
import { drawContactSheet } from '../demo/contact-sheet.js';
import { demoWorkflow, title } from '../demo/demo-workflow.js';
import { shortHash } from '../demo/edition-bars.js';
import { loadInstallation } from '../installation.js';
import { stopSignal } from '../stop-signal.js';
import { issueToken } from './token.js';

const EDITIONS = 6;
const CREDITS = 10;
const OUTPUT = 'demo-output';

/** `platen demo`: a whole Platen for one collection, on free ports, in a folder that is gone afterwards. */
export async function demo(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'platen-demo-'));
  const stopped = stopSignal();
  let platen: AllInOne | undefined;
  try {
    say('Starting Postgres, the API and a worker …');
    platen = await start(folder);
    const interrupted = stopped.then(() => {
      throw new CommandFailure('Stopped.');
    });
    await Promise.race([makeCollection(platen), interrupted]);
  } finally {
    await platen?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Servers of the environment are left alone: the demo touches nobody's data. */
function start(folder: string): Promise<AllInOne> {
  const { CHROMIUM_PATH, ALLOW_UNSANDBOXED_CHROMIUM, LOG_LEVEL = 'silent' } = process.env;
  const { environment } = loadInstallation({
    PLATEN_HOME: folder, PORT: '0', LOG_LEVEL, SHUTDOWN_GRACE_MS: '0', CHROMIUM_PATH, ALLOW_UNSANDBOXED_CHROMIUM,
  });
  return startAllInOne(environment, { folder, durable: false });
}

async function makeCollection({ url, environment }: AllInOne): Promise<void> {
  const startedAt = Date.now();
  const options = { sub: uuid(), role: 'user' as const, credits: CREDITS };
  const client = new PlatenClient(url, await issueToken(environment, options));
  const workflow = await client.post<{ id: string }>('/workflows', demoWorkflow());
  const request = { title, workflow_id: workflow.id, generations: EDITIONS };
  say(`POST /api/collections/generate ${JSON.stringify(request)}\n`);
  const { job_id: jobId } = await client.post<{ job_id: string }>('/api/collections/generate', request);
  const job = await followJob(client, jobId);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const files = await saveImages(client, job);
  const { available } = await client.get<{ available: number }>('/credits');
  say(`\n${EDITIONS} editions in ${seconds} s\n`);
  for (const file of files) say(`  ${relative(process.cwd(), file)}`);
  say(`\nCost: ${job.cost.captured} credits; ${available} of ${CREDITS} are left.`);
}

async function saveImages(client: PlatenClient, job: DemoJob): Promise<string[]> {
  const output = resolve(OUTPUT);
  mkdirSync(output, { recursive: true });
  const files: string[] = [];
  const editions = [];
  for (const generation of job.generations) {
    const image = await client.download(generation.assets[0]?.url ?? '');
    files.push(save(join(output, `edition-${generation.index + 1}.png`), image));
    editions.push({ image, ...captionOf(generation) });
  }
  const sheet = { title, subtitle: `${EDITIONS} editions of one sketch, each drawn by its hash`, editions };
  return [...files, save(join(output, 'contact-sheet.png'), await drawContactSheet(sheet))];
}

function captionOf({ index, hash, traits }: DemoGeneration) {
  const notes = traits.map(({ trait_type: name, value }) => `${name} ${String(value)}`);
  return { name: `${index + 1}   ${shortHash(hash)}`, notes };
}

function save(file: string, content: Buffer): string {
  writeFileSync(file, content);
  return file;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
