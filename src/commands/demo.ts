import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { v7 as uuid } from 'uuid';
import { Platen } from '#libs/client/index.js';
import { toCredits, toMicroCredits } from '#libs/credits/micro-credits.js';
import { startAllInOne, type AllInOne } from '../all-in-one.js';
import { CommandFailure } from '../command-failure.js';
import { makeCollection } from '../demo/collections-face.js';
import { say, type DemoFace } from '../demo/demo-face.js';
import { savePictures } from '../demo/output-folder.js';
import { startStandIn, type StandIn } from '../demo/stand-in.js';
import { makeTwoStepImages } from '../demo/two-step-face.js';
import { makeV1Images } from '../demo/v1-face.js';
import { loadInstallation } from '../installation.js';
import { stopSignal } from '../stop-signal.js';
import { issueToken } from './token.js';

const FACES = { collections: makeCollection, v1: makeV1Images, 'two-step': makeTwoStepImages };
const CREDITS = 10;

/** `platen demo`: a whole Platen for a few pictures, on free ports, in a folder that is gone afterwards. */
export async function demo({ face }: { face: keyof typeof FACES }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'platen-demo-'));
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort(new CommandFailure('Stopped.')));
  let standIn: StandIn | undefined;
  let platen: AllInOne | undefined;
  try {
    if (face !== 'collections') standIn = await startStandIn();
    announce(standIn);
    platen = await start(folder, standIn?.variables);
    await show(FACES[face], platen, stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    await platen?.close();
    await standIn?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function announce(standIn: StandIn | undefined): void {
  if (!standIn) return say('Starting Postgres, the API and a worker …');
  say('Starting Postgres, the API, a worker and a stand-in for Replicate …');
  say('The pictures come from the stand-in, not from Replicate: the same hills, at the hour that a prompt names.');
}

/** Servers of the environment are left alone: the demo touches nobody's data. */
function start(folder: string, variables: Record<string, string> = {}): Promise<AllInOne> {
  const { CHROMIUM_PATH, ALLOW_UNSANDBOXED_CHROMIUM, LOG_LEVEL = 'silent' } = process.env;
  const { environment } = loadInstallation({
    PLATEN_HOME: folder, PORT: '0', LOG_LEVEL, SHUTDOWN_GRACE_MS: '0', CHROMIUM_PATH, ALLOW_UNSANDBOXED_CHROMIUM,
    ...variables,
  });
  return startAllInOne(environment, { folder, durable: false });
}

async function show(makeImages: DemoFace, { url, environment }: AllInOne, stop: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  const options = { sub: uuid(), role: 'user' as const, credits: CREDITS };
  const client = new Platen({ url, token: await issueToken(environment, options), signal: stop });
  const { kind, pictures, ...sheet } = await makeImages(client);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const files = await savePictures(sheet, pictures);
  const { available } = await client.get('/credits');
  const cost = toCredits(toMicroCredits(CREDITS) - toMicroCredits(available));
  say(`\n${pictures.length} ${kind} in ${seconds} s\n`);
  for (const file of files) say(`  ${relative(process.cwd(), file)}`);
  say(`\nCost: ${cost} credits; ${available} of ${CREDITS} are left.`);
}
