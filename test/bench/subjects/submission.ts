import { BareSubmit } from '../bare-submit.js';
import type { Bench } from '../bench.js';
import type { BenchProcess } from '../bench-process.js';
import { compare } from '../comparison.js';
import type { FigureSpec } from '../figure.js';
import type { SubmitLoad, SubmitResult } from '../load/submitters.js';
import { oneStepWorkflow } from '../one-step-workflow.js';
import { Platen } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';

/** Each client is a user of its own. */
const CLIENTS = [1, 16, 64];

const FIGURES: FigureSpec[] = [
  { key: 'rps_1', name: 'Submissions with 1 client', unit: '1/s' },
  {
    key: 'rps_16', name: 'Submissions with 16 clients', unit: '1/s',
    goal: { bar: 0.5, moonshot: 1, better: 'higher' },
  },
  { key: 'rps_64', name: 'Submissions with 64 clients', unit: '1/s' },
  {
    key: 'p50_1', name: 'Time of a submission, 1 client, median', unit: 'ms',
    goal: { bar: 2, moonshot: 1, better: 'lower' },
  },
  { key: 'p99_16', name: 'Time of a submission, 16 clients, 99 %', unit: 'ms' },
  {
    key: 'cpu_16', name: 'Processor time of the API per submission, 16 clients', unit: 'µs',
    goal: { bar: 1.5, moonshot: 0.8, better: 'lower' },
  },
];

/** A submission: authenticated, checked, priced, idempotent, paid for, and handed to the queue. */
export const submission: Subject = {
  name: 'submission',
  title: 'POST /api/collections/generate, against bare Fastify + pg + BullMQ that writes the same kinds of rows',
  async run(bench) {
    const load = await bench.startScript('load/submitters.ts');
    const users = Math.max(...CLIENTS);
    const bare = await BareSubmit.start(bench, users);
    const platen = await Platen.start(bench, 'submission');
    const own = await oneStepWorkflow(platen, await platen.users(users));
    return compare(bench, {
      subject: 'submission',
      figures: FIGURES,
      floor: () => submitAll(bench, load, bare.server, bare.load()),
      ours: () => submitAll(bench, load, platen.api, own),
      platen,
    });
  },
};

type Target = Pick<SubmitLoad, 'url' | 'path' | 'callers' | 'body'>;

async function submitAll(bench: Bench, load: BenchProcess, server: BenchProcess, target: Target): Promise<Sample> {
  const sample: Sample = {};
  const seconds = bench.sized({ tiny: 0.3, quick: 2.5, full: 8 });
  for (const clients of CLIENTS) {
    const cpu = server.cpuSeconds();
    const { requests, seconds: took, p50, p99 } = await load.ask<SubmitResult>({ ...target, clients, seconds });
    sample[`rps_${clients}`] = requests / took;
    sample[`p50_${clients}`] = p50;
    sample[`p99_${clients}`] = p99;
    sample[`cpu_${clients}`] = ((server.cpuSeconds() - cpu) / requests) * 1e6;
  }
  return sample;
}
