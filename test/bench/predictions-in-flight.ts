import { setTimeout as delay } from 'node:timers/promises';
import { Bench, type BenchOptions } from './bench.js';
import type { BenchProcess } from './bench-process.js';
import type { ReplicateOrder } from './load/replicate-server.js';
import { Platen, type PlatenUser } from './platen.js';
import { allCompleted } from './unfinished.js';

const JOB_SIZE = 500;
const SAMPLE_EVERY_MS = 100;
const TOKEN = 'r8_benchmark';

export interface InFlight {
  predictions: number;
  /** Seconds until all were begun, and from their end there until all were finished here. */
  begun: number;
  finished: number;
  /** MiB of the worker's memory at most. */
  most: number;
  /** Processor time of the worker, in seconds a minute, while all of them wait. */
  waiting: number;
}

/** One worker, and many predictions that do not end until all of them have begun. */
export async function measureInFlight(bench: Bench, predictions: number): Promise<InFlight> {
  const replicate = await bench.startScript('load/replicate-server.ts', { REPLICATE_API_TOKEN: TOKEN });
  const env = { REPLICATE_API_TOKEN: TOKEN, REPLICATE_BASE_URL: replicate.answer, GENERATION_TIMEOUT_MS: '7200000' };
  const platen = await Platen.start(bench, 'in_flight', env);
  const [user] = (await platen.users(1)) as [PlatenUser];
  const worker = await platen.worker();
  let most = 0;
  const sampling = setInterval(() => (most = Math.max(most, worker.memory())), SAMPLE_EVERY_MS);
  try {
    bench.options.say(`  ${worker.memory().toFixed(0)} MiB at rest`);
    const start = performance.now();
    await submit(platen, user, predictions);
    await allWait(platen, worker, predictions, bench);
    const begun = secondsSince(start);
    const waiting = await costOfAMinute(worker);
    const end = performance.now();
    const told = await replicate.ask<{ predictions: number }>({ release: true } satisfies ReplicateOrder);
    await allCompleted(platen.rows);
    return { predictions: told.predictions, begun, finished: secondsSince(end), most, waiting };
  } finally {
    clearInterval(sampling);
  }
}

async function submit(platen: Platen, user: PlatenUser, predictions: number): Promise<void> {
  const draft = await platen.post<{ id: string }>(user, '/projects/collections', {
    title: 'Predictions',
    data: {
      version: 'v2',
      steps: [{ id: 'one', nodeName: 'replicate', nodePayload: { model: 'owner/name', input: { prompt: '{{subject}}' } } }],
      generations: { hashes: [], generations: 1, use_custom_hashes: false },
      variables: { subject: 'a fox' },
    },
  });
  for (let left = predictions; left > 0; left -= JOB_SIZE) {
    await platen.post(user, `/collections/${draft.id}/generations`, { generations: Math.min(left, JOB_SIZE) });
  }
}

async function allWait(platen: Platen, worker: BenchProcess, predictions: number, bench: Bench): Promise<void> {
  for (let told = 0; ; ) {
    const { rows: [row] } = await platen.rows.query<{ waiting: number }>(
      `select count(*)::int as waiting from step_run where status = 'waiting' and reference ->> 'prediction' is not null`,
    );
    const waiting = row?.waiting ?? 0;
    if (waiting >= told + predictions / 10) bench.options.say(`  ${(told = waiting)} predictions in flight, ${worker.memory().toFixed(0)} MiB`);
    if (waiting === predictions) return;
    await delay(SAMPLE_EVERY_MS);
  }
}

/** Seconds of processor time in a minute, as half a minute tells. */
async function costOfAMinute(worker: BenchProcess): Promise<number> {
  const before = worker.cpuSeconds();
  await delay(30_000);
  return (worker.cpuSeconds() - before) * 2;
}

const secondsSince = (start: number): number => (performance.now() - start) / 1_000;

/** By hand, after a build: `node --import ./test/setup/typescript.mjs test/bench/predictions-in-flight.ts [5000]`. */
if (import.meta.filename === process.argv[1]) {
  const options: BenchOptions = { scale: 'full', rounds: 1, say: (line) => void process.stderr.write(`${line}\n`) };
  const found = await Bench.during(options, (bench) => measureInFlight(bench, Number(process.argv[2] ?? 5_000)));
  process.stdout.write(
    `${found.predictions} predictions in flight on one worker: ${found.most.toFixed(0)} MiB at most; begun in ` +
      `${found.begun.toFixed(0)} s, finished in ${found.finished.toFixed(0)} s; ` +
      `while all wait ${found.waiting.toFixed(1)} s of processor time a minute\n`,
  );
  process.exit();
}
