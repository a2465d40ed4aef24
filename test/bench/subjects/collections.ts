import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { request } from 'undici';
import type { Bench } from '../bench.js';
import { figureOf, type FigureSpec } from '../figure.js';
import { createLargeCollection } from '../growth/large-collection.js';
import { Platen } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';

const SMALL = 100;
const LOOK_EVERY_MS = 20;

const FIGURES: FigureSpec[] = [
  { key: 'public', name: 'Public view', unit: 'ms' },
  { key: 'public_cold', name: 'Public view, first time', unit: 'ms' },
  { key: 'page', name: 'A page of metadata', unit: 'ms' },
  { key: 'page_cold', name: 'A page of metadata, first time', unit: 'ms' },
  { key: 'last_page', name: 'The last page', unit: 'ms' },
  { key: 'contract', name: 'Contract metadata', unit: 'ms' },
  { key: 'zip', name: 'Zip, to the end', unit: 'ms' },
  { key: 'growth_reading', name: 'Memory the API added for these pages', unit: 'MiB' },
  { key: 'growth_zip', name: 'Memory the API added for the zip', unit: 'MiB' },
];

/** What everyone asks of a collection costs once it has ten thousand editions. */
export const collections: Subject = {
  name: 'collections',
  title: 'A published collection of 100 editions and one of very many, as everyone reads it',
  async run(bench) {
    const many = bench.sized({ tiny: 300, quick: 10_000, full: 10_000 });
    const [small, large] = [await sideOf(bench, 'few', SMALL), await sideOf(bench, 'many', many)];
    const [before = [], after = []] = await bench.measure([
      { name: 'small', measure: () => measure(small) },
      { name: 'large', measure: () => measure(large) },
    ]);
    return {
      columns: [`${SMALL} editions`, `${many.toLocaleString('en')} editions`],
      figures: FIGURES.map((spec) => figureOf(spec, before, after)),
    };
  },
};

interface Side {
  platen: Platen;
  collectionId: string;
  editions: number;
}

async function sideOf(bench: Bench, name: string, editions: number): Promise<Side> {
  const platen = await Platen.start(bench, name);
  const [user] = await platen.users(1);
  const storage = join(bench.folder, name, 'storage');
  const collectionId = await createLargeCollection(platen.rows, user?.id ?? '', editions, storage);
  return { platen, collectionId, editions };
}

async function measure({ platen, collectionId, editions }: Side): Promise<Sample> {
  const at = `${platen.url}/collections/${collectionId}`;
  const last = Buffer.from(JSON.stringify([String(editions - 20)])).toString('base64url');
  // A finished edition more or less makes all that was counted before old.
  await platen.rows.query(
    `update job set failed = 1 - failed, completed = case when failed = 0 then completed - 1 else completed + 1 end
      where collection_id = $1`,
    [collectionId],
  );
  const reading = await whileWatched(platen, async () => ({
    public_cold: await timeOf(`${at}/public`),
    public: await timeOf(`${at}/public`),
    page_cold: await timeOf(`${at}/metadata`),
    page: await timeOf(`${at}/metadata`),
    last_page: await timeOf(`${at}/metadata?cursor=${last}`),
    contract: await timeOf(`${at}/contract-metadata`),
  }));
  const zip = await whileWatched(platen, () => timeOf(`${at}/metadata?format=zip`));
  return { ...reading.result, growth_reading: reading.growth, zip: zip.result, growth_zip: zip.growth };
}

async function timeOf(url: string): Promise<number> {
  const before = performance.now();
  const { statusCode, body } = await request(url);
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${await body.text()}`);
  await pipeline(body, new Writable({ write: (_chunk, _encoding, done) => done() }));
  return performance.now() - before;
}

/** How far the memory of the API goes above where it was, in MiB; at least 1. */
async function whileWatched<Result>({ api }: Platen, work: () => Promise<Result>): Promise<{ result: Result; growth: number }> {
  const before = api.memory();
  let most = before;
  const looking = setInterval(() => (most = Math.max(most, api.memory())), LOOK_EVERY_MS);
  try {
    const result = await work();
    return { result, growth: Math.max(1, most - before) };
  } finally {
    clearInterval(looking);
  }
}
