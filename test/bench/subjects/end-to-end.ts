import type pg from 'pg';
import { BareSubmit } from '../bare-submit.js';
import type { Bench } from '../bench.js';
import type { BenchProcess } from '../bench-process.js';
import { compare } from '../comparison.js';
import type { FigureSpec } from '../figure.js';
import type { LatencyLoad, LatencyResult } from '../load/latency.js';
import type { SubmitLoad } from '../load/submitters.js';
import { oneStepWorkflow } from '../one-step-workflow.js';
import { Platen } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';
import { allCompleted, clockOf, secondsOfWork } from '../unfinished.js';

const CLIENTS = 16;
const EDITIONS = 500;

const FIGURES: FigureSpec[] = [
  {
    key: 'jobs', name: 'Generations, each a job of its own', unit: '1/s',
    goal: { bar: 0.6, moonshot: 1.2, better: 'higher' },
  },
  { key: 'editions', name: `Generations of one job of ${EDITIONS} editions`, unit: '1/s' },
  {
    key: 'p50', name: 'Submission to finish, idle, median', unit: 'ms',
    goal: { bar: 2, moonshot: 1, better: 'lower' },
  },
  { key: 'p99', name: 'Submission to finish, idle, 99 %', unit: 'ms' },
  { key: 'cpu', name: 'Processor time of the worker per generation', unit: 'µs' },
];

/** A generation of one step that does nothing, from its submission to its end. */
export const endToEnd: Subject = {
  name: 'end-to-end',
  title: 'One-step generations that do nothing, against bare Fastify + pg + BullMQ worker; both 10 at once',
  async run(bench) {
    const parts = {
      bench,
      submitters: await bench.startScript('load/submitters.ts'),
      latency: await bench.startScript('load/latency.ts'),
    };
    const bare = await bareSide(bench);
    const platen = await Platen.start(bench, 'end_to_end');
    const ours = await platenSide(platen);
    return compare(bench, {
      subject: 'end-to-end',
      figures: FIGURES,
      floor: () => measure(parts, bare),
      ours: () => measure(parts, ours),
      platen,
    });
  },
};

type Target = Pick<SubmitLoad, 'url' | 'path' | 'callers' | 'body'>;

interface Side {
  target: Target;
  /** Submits one job of so many editions. */
  editions(count: number): Promise<Target>;
  hears: LatencyLoad['hears'];
  worker: BenchProcess;
  rows: pg.Client;
}

interface Parts {
  bench: Bench;
  submitters: BenchProcess;
  latency: BenchProcess;
}

async function bareSide(bench: Bench): Promise<Side> {
  const bare = await BareSubmit.start(bench, CLIENTS);
  return {
    target: bare.load(),
    editions: async (count) => ({ ...bare.load(), body: { ...bare.load().body, generations: count } }),
    hears: { redisUrl: bare.env.REDIS_URL ?? '', channel: 'bare-events' },
    worker: await bench.startScript('floors/worker.ts', bare.env),
    rows: bare.rows,
  };
}

async function platenSide(platen: Platen): Promise<Side> {
  const users = await platen.users(CLIENTS);
  const target = await oneStepWorkflow(platen, users);
  return {
    target,
    editions: async (count) => {
      const [user] = users;
      if (!user) throw new Error('There is no user');
      const { collection_id } = await platen.post<{ collection_id: string }>(user, target.path, target.body);
      return {
        ...target, path: `/collections/${collection_id}/generations`, body: { generations: count },
        callers: target.callers.slice(0, 1),
      };
    },
    hears: { stream: '/events' },
    worker: await platen.worker(),
    rows: platen.rows,
  };
}

async function measure({ bench, submitters, latency }: Parts, side: Side): Promise<Sample> {
  const requests = bench.sized({ tiny: 20, quick: 1_000, full: 3_000 });
  const cpu = side.worker.cpuSeconds();
  const jobs = requests / (await workOf(submitters, side, { ...side.target, clients: CLIENTS, requests }));
  const spent = side.worker.cpuSeconds() - cpu;
  const count = bench.sized({ tiny: 20, quick: EDITIONS, full: EDITIONS });
  const job = await side.editions(count);
  await allCompleted(side.rows);
  const editions = count / (await workOf(submitters, side, { ...job, clients: 1, requests: 1 }));
  const idle = await latency.ask<LatencyResult>({
    ...side.target, hears: side.hears, requests: bench.sized({ tiny: 5, quick: 100, full: 300 }),
  });
  return { jobs, editions, p50: idle.p50, p99: idle.p99, cpu: (spent / requests) * 1e6 };
}

/** Submits, and returns the seconds from the first submission to the last end. */
async function workOf(submitters: BenchProcess, { rows }: Side, load: SubmitLoad): Promise<number> {
  const since = await clockOf(rows);
  await submitters.ask(load);
  await allCompleted(rows);
  return secondsOfWork(rows, since);
}
