import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { Client } from '../e2e/client.js';
import { PlatenProcesses, type Api } from '../e2e/platen-processes.js';

const MEGABYTE = 1024 ** 2;
const CONNECTIONS = 50;
const GROWTH = 100 * MEGABYTE;
/** Of noise, which no encoder makes smaller: close to the ten that are taken. */
const SIDE = 1_850;
/** Each is encoded anew, two at a time. */
const PATIENCE_MS = 300_000;

const noise = async () => {
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  return sharp(randomFillSync(Buffer.alloc(SIDE * SIDE * 3)), { raw }).png({ compressionLevel: 0 }).toBuffer();
};

let platen: PlatenProcesses;
let api: Api;
beforeAll(async () => {
  platen = await PlatenProcesses.prepare({ V1_WAIT_SECONDS: '0' });
  api = await platen.api();
});
afterAll(() => platen.close());

/** Bytes of memory of the API's process: `VmRSS` now, `VmHWM` at its highest. */
async function memory(name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${api.program.pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

async function submit(user: Client, image: Blob): Promise<number> {
  const form = new FormData();
  form.append('prompt', 'a fox');
  form.append('input1', image, 'noise.png');
  return (await user.sendForm('/api/v1/generations', form, PATIENCE_MS)).status;
}

it('fifty images of ten megabytes at once cost the API less than a hundred megabytes', async () => {
  const image = await noise();
  expect(image.length).toBeGreaterThan(9.5 * MEGABYTE);
  const users = await Promise.all(Array.from({ length: CONNECTIONS + 1 }, () => platen.richClient(api, 1)));
  const [first, ...others] = users as [Client, ...Client[]];
  // What the first upload loads stays for all others.
  const small = await sharp(image).resize(64).png().toBuffer();
  expect(await submit(first, new Blob([Uint8Array.from(small)]))).toBe(202);
  const before = await memory('VmRSS');
  const large = new Blob([Uint8Array.from(image)]);
  const told = await Promise.all(others.map((user) => submit(user, large)));
  expect(told).toEqual(others.map(() => 202));
  expect((await memory('VmHWM')) - before).toBeLessThan(GROWTH);
}, PATIENCE_MS);
