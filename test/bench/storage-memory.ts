import { join } from 'node:path';
import { Readable } from 'node:stream';
import { startAzureServer } from '../setup/azure/server.js';
import { startGcsServer } from '../setup/gcs/server.js';
import { startS3Server } from '../setup/s3/server.js';
import { Bench } from './bench.js';
import type { BenchProcess } from './bench-process.js';
import { Platen, type PlatenUser } from './platen.js';
import { linesOf } from './storage-blocks.js';
import type { WorkerRequest } from './storage-memory-worker.js';

const MIB = 1024 ** 2;
const SAMPLE_EVERY_MS = 10;
/** What goes through first, and is not measured: code is compiled, pools and buffers reach their size. */
const WARM_UP_BYTES = 64 * MIB;

/** Those of Azure and Google keep everything in memory: give them less than a GiB. */
const SERVERS = { local: null, s3: startS3Server, azure: startAzureServer, gcs: startGcsServer };

export interface StorageFigure {
  driver: keyof typeof SERVERS;
  path: 'worker stores' | 'worker reads' | 'API takes an upload' | 'API serves';
  /** By how much the process grew at most, MiB. */
  growth: number;
  /** MiB a second. */
  rate: number;
}

/** Memory that worker and API need for files that go through them, on a real disk or an S3 server. */
export async function measureStorageMemory(
  bench: Bench,
  driver: StorageFigure['driver'],
  bytes: number,
): Promise<StorageFigure[]> {
  const server = await SERVERS[driver]?.();
  const env = server?.variables ?? { STORAGE_DRIVER: 'local' };
  const figures: StorageFigure[] = [];
  type Run = (bytes: number) => Promise<unknown>;
  const measure = async (path: StorageFigure['path'], program: BenchProcess, run: Run) => {
    await run(WARM_UP_BYTES);
    figures.push({ driver, path, ...(await grow(program, bytes, () => run(bytes))) });
  };
  try {
    const home = { PLATEN_HOME: join(bench.folder, `worker-${driver}`) };
    const worker = await bench.startScript('storage-memory-worker.ts', { ...env, ...home });
    const ask = (request: WorkerRequest) => worker.ask(request);
    await measure('worker stores', worker, (size) => ask({ do: 'store', bytes: size }));
    await measure('worker reads', worker, (size) => ask({ do: 'read', bytes: size }));
    const platen = await Platen.start(bench, `storage_${driver}`, env);
    const [user] = await platen.users(1) as [PlatenUser];
    const urls = new Map<number, string>();
    const bring = async (size: number) => urls.set(size, await upload(platen, user, size));
    await measure('API takes an upload', platen.api, bring);
    await measure('API serves', platen.api, (size) => download(`${platen.url}${urls.get(size)}`));
  } finally {
    await server?.close();
  }
  return figures;
}

async function grow(program: BenchProcess, bytes: number, run: () => Promise<unknown>) {
  const before = program.memory();
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, program.memory())), SAMPLE_EVERY_MS);
  const begun = performance.now();
  try {
    await run();
  } finally {
    clearInterval(sampling);
  }
  return { growth: most - before, rate: bytes / MIB / ((performance.now() - begun) / 1_000) };
}

/** Returns the path of the file's signed URL. */
async function upload(platen: Platen, { headers }: PlatenUser, bytes: number): Promise<string> {
  const boundary = 'the-boundary-of-the-benchmark';
  const disposition = 'content-disposition: form-data; name="file"; filename="a.csv"';
  const head = `--${boundary}\r\n${disposition}\r\ncontent-type: text/csv\r\n\r\n`;
  const body = Readable.from((function* () {
    yield Buffer.from(head);
    yield* linesOf(bytes);
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  })());
  const answer = await fetch(`${platen.url}/assets`, {
    method: 'POST',
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Readable.toWeb(body) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`The upload was answered ${answer.status}: ${text}`);
  return (JSON.parse(text) as { data: { url: string } }).data.url;
}

async function download(url: string): Promise<void> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`The download was answered ${answer.status}`);
  let size = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) size += chunk.length;
  if (size !== Number(answer.headers.get('content-length'))) throw new Error('The download is not whole');
}

/** By hand: `node --import ./test/setup/typescript.mjs test/bench/storage-memory.ts [MiB] [driver …]`. */
if (import.meta.filename === process.argv[1]) {
  const [mebibytes = '1024', ...named] = process.argv.slice(2);
  const drivers = (named.length > 0 ? named : ['local', 's3']) as StorageFigure['driver'][];
  const figures: StorageFigure[] = [];
  await Bench.during({ scale: 'full', rounds: 1, say: () => undefined }, async (bench) => {
    for (const driver of drivers) {
      figures.push(...(await measureStorageMemory(bench, driver, Number(mebibytes) * MIB)));
    }
  });
  for (const { driver, path, growth, rate } of figures) {
    process.stdout.write(`${driver}: ${path}: +${growth.toFixed(0)} MiB at ${rate.toFixed(0)} MiB/s\n`);
  }
  process.exit();
}
