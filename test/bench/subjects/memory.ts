import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { BenchProcess } from '../bench-process.js';
import { figureOf, type FigureSpec } from '../figure.js';
import type { TransferLoad, TransferResult } from '../load/transfers.js';
import { oneStepWorkflow } from '../one-step-workflow.js';
import { Platen, type PlatenUser } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';
import { allCompleted } from '../unfinished.js';

const MIB = 1024 ** 2;
const LOOK_EVERY_MS = 20;
/** MiB that a transfer may add to what the API holds, whatever the size of the file. */
const MOST_GROWTH = { bar: 96, moonshot: 64 };

const FIGURES: FigureSpec[] = [
  { key: 'in', name: 'A file in', unit: 'MB/s', goal: { bar: 0.6, moonshot: 0.85, better: 'higher' } },
  { key: 'out', name: 'A file out', unit: 'MB/s', goal: { bar: 0.6, moonshot: 0.85, better: 'higher' } },
  { key: 'growth_in', name: 'Memory added while it comes in', unit: 'MiB' },
  { key: 'growth_out', name: 'Memory added while it goes out', unit: 'MiB' },
];

/** Large files pass through; they are never held. */
export const memory: Subject = {
  name: 'memory',
  title: 'One large file uploaded and downloaded, against bare node:http that hashes it onto the disk and streams it back',
  async run(bench) {
    const platen = await Platen.start(bench, 'memory');
    const users = await platen.users(16);
    const folder = join(bench.folder, 'bare-files');
    mkdirSync(folder);
    const bare = await bench.startScript('floors/file-server.ts', { FOLDER: folder });
    const transfers = await bench.startScript('load/transfers.ts');
    const bytes = bench.sized({ tiny: 8, quick: 256, full: 1_024 }) * MIB;
    const [floor = [], ours = []] = await bench.measure([
      {
        name: 'floor',
        measure: () => transfer(transfers, bare, { url: `${bare.answer}/`, headers: {}, upload: { bytes, multipart: false } }),
      },
      {
        name: 'Platen',
        measure: () => transfer(transfers, platen.api, {
          url: `${platen.url}/assets`, headers: users[0]?.headers ?? {}, upload: { bytes, multipart: true },
        }),
      },
    ]);
    const figures = FIGURES.map((spec) => figureOf(spec, floor, ours));
    const most = Math.max(...figures.filter(({ unit }) => unit === 'MiB').map(({ platen: { median } }) => median));
    return {
      figures,
      notes: [
        `The file has ${bytes / MIB} MiB. The API grew by ${most.toFixed(0)} MiB (bar ${MOST_GROWTH.bar}, ` +
          `moonshot ${MOST_GROWTH.moonshot}).`,
        await afterManyJobs(bench, platen, users),
      ],
    };
  },
};

async function transfer(transfers: BenchProcess, server: BenchProcess, load: TransferLoad): Promise<Sample> {
  const up = await whileWatched(server, () => transfers.ask<TransferResult>(load));
  const url = new URL(up.result.url, load.url).href;
  const down = await whileWatched(server, () => transfers.ask<TransferResult>({ url, headers: load.headers }));
  if (down.result.bytes !== load.upload?.bytes) throw new Error(`${down.result.bytes} bytes came back`);
  const rate = ({ bytes, seconds }: TransferResult) => bytes / 1e6 / seconds;
  return { in: rate(up.result), out: rate(down.result), growth_in: up.growth, growth_out: down.growth };
}

/** How far the memory of a process goes above where it was, in MiB; at least 1. */
async function whileWatched<Result>(
  server: BenchProcess,
  work: () => Promise<Result>,
): Promise<{ result: Result; growth: number }> {
  const before = server.memory();
  let most = before;
  const looking = setInterval(() => (most = Math.max(most, server.memory())), LOOK_EVERY_MS);
  try {
    const result = await work();
    return { result, growth: Math.max(1, most - before) };
  } finally {
    clearInterval(looking);
  }
}

async function afterManyJobs(bench: Bench, platen: Platen, users: PlatenUser[]): Promise<string> {
  const requests = bench.sized({ tiny: 20, quick: 1_000, full: 10_000 });
  const worker = await platen.worker();
  const submitters = await bench.startScript('load/submitters.ts');
  await submitters.ask({ ...(await oneStepWorkflow(platen, users)), clients: 16, requests });
  await allCompleted(platen.rows);
  await delay(1_000);
  const [api, own] = [platen.api.memory(), worker.memory()].map((mib) => mib.toFixed(0));
  return `After ${requests.toLocaleString('en')} jobs the API holds ${api} MiB and the worker ${own} MiB.`;
}
