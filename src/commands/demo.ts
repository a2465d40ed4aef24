import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { v7 as uuid } from 'uuid';
import { startAllInOne, type AllInOne } from '../all-in-one.js';
import { PlatenClient } from '../client/platen-client.js';
import { CommandFailure } from '../command-failure.js';
import { followJob } from '../demo/collection-run.js';
import { saveImages } from '../demo/output-folder.js';
import { loadInstallation } from '../installation.js';
import { stopSignal } from '../stop-signal.js';
import { issueToken } from './token.js';

interface Example {
  id: string;
  name: string;
  label: string;
}

/** The example that is shown. */
const SKETCH = 'tidal-garden';
const EDITIONS = 6;
const CREDITS = 10;

/** `platen demo`: a whole Platen for one collection, on free ports, in a folder that is gone afterwards. */
export async function demo(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'platen-demo-'));
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort(new CommandFailure('Stopped.')));
  let platen: AllInOne | undefined;
  try {
    say('Starting Postgres, the API and a worker …');
    platen = await start(folder);
    await makeCollection(platen, stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
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

async function makeCollection({ url, environment }: AllInOne, stop: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  const options = { sub: uuid(), role: 'user' as const, credits: CREDITS };
  const client = new PlatenClient(url, await issueToken(environment, options), stop);
  const { id, label: title } = await findExample(client);
  const request = { title, workflow_id: id, generations: EDITIONS };
  say(`POST /api/collections/generate ${JSON.stringify(request)}\n`);
  const { job_id: jobId } = await client.post<{ job_id: string }>('/api/collections/generate', request);
  const job = await followJob(client, jobId);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const files = await saveImages(client, job, title);
  const { available } = await client.get<{ available: number }>('/credits');
  say(`\n${EDITIONS} editions in ${seconds} s\n`);
  for (const file of files) say(`  ${relative(process.cwd(), file)}`);
  say(`\nCost: ${job.cost.captured} credits; ${available} of ${CREDITS} are left.`);
}

async function findExample(client: PlatenClient): Promise<{ id: string; label: string }> {
  const { items } = await client.get<{ items: Example[] }>(`/workflows?tag=example&q=${SKETCH}&limit=100`);
  const example = items.find(({ name }) => name === SKETCH);
  if (!example) throw new CommandFailure(`There is no example named ${SKETCH}.`);
  return example;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
