import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { v7 as uuid } from 'uuid';
import type { Bench } from '../bench.js';
import { compare } from '../comparison.js';
import type { Figure, FigureSpec } from '../figure.js';
import { createUsers, insertSubmission, OUTBOX } from '../floors/rows.js';
import { Platen, type PlatenUser } from '../platen.js';
import type { Sample } from '../rounds.js';
import { median } from '../statistics.js';
import type { Subject } from '../subject.js';

const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 5 * 60_000;
/** How many steps of one generation Platen runs at once. */
const ABREAST = 4;

const FIGURES: FigureSpec[] = [
  { key: 'chain_10', name: 'Chain of 10 steps, submission to finish', unit: 'ms' },
  { key: 'chain_100', name: 'Chain of 100 steps', unit: 'ms' },
  {
    key: 'chain_1000', name: 'Chain of 1,000 steps', unit: 'ms',
    goal: { bar: 2, moonshot: 1.2, better: 'lower' },
  },
  { key: 'growth', name: 'Chain: time of 1,000 steps to time of 100', unit: '' },
  { key: 'wide_1000', name: '1,000 steps: one, 998 that need it, one that needs two of those', unit: 'ms' },
];

/** What the engine adds to each step of a generation. */
export const chain: Subject = {
  name: 'chain',
  title: 'Steps that do nothing, each stored in Postgres and told of, against a loop that only does that',
  async run(bench) {
    const bare = await bareSide(bench);
    const platen = await Platen.start(bench, 'chain');
    const ours = await platenSide(platen);
    const report = await compare(bench, {
      subject: 'chain',
      figures: FIGURES,
      floor: () => measure(bench, bare),
      ours: () => measure(bench, ours),
      platen,
    });
    await bare.close();
    return { ...report, notes: growthNotes(report.figures) };
  },
};

function growthNotes(figures: Figure[]): string[] {
  const growth = figures.find(({ key }) => key === 'growth')?.platen.median;
  if (growth === undefined) return [];
  const goal = 'bar 12, moonshot 10; 100 would be quadratic';
  return [`Platen takes ${growth.toFixed(1)} times as long for ten times as many steps (${goal}).`];
}

type Shape = 'chain' | 'wide';

interface Side {
  /** Submits one generation of so many steps; returns its job. */
  submit(steps: number, shape: Shape): Promise<string>;
  /** Prepares what is not part of the time. */
  prepare(steps: number, shape: Shape): Promise<void>;
  rows: pg.Client;
  close(): Promise<void>;
}

async function bareSide(bench: Bench): Promise<Side> {
  const env = { DATABASE_URL: await bench.database('bare'), REDIS_URL: await bench.redisUrl(2) };
  const rows = await bench.connect(env.DATABASE_URL);
  await rows.query(OUTBOX);
  const [userId = ''] = await createUsers(rows, 1);
  await bench.startScript('floors/worker.ts', env);
  const connection = new Redis(env.REDIS_URL, { maxRetriesPerRequest: null });
  const queue = new Queue('bare', { connection });
  return {
    rows,
    prepare: async () => undefined,
    submit: async (steps, shape) => {
      const asked = { userId, title: 'Chain', workflowId: uuid(), generations: 1, key: uuid() };
      const { jobId, generationIds: [generationId] } = await insertSubmission(rows, asked);
      await queue.add('run', { generationId, jobId, userId, steps, abreast: shape === 'wide' ? ABREAST : 1 });
      return jobId;
    },
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}

async function platenSide(platen: Platen): Promise<Side> {
  const [user] = await platen.users(1);
  await platen.worker();
  const collections = new Map<string, string>();
  return {
    rows: platen.rows,
    prepare: async (count, shape) => {
      const name = `${shape} ${count}`;
      if (collections.has(name)) return;
      const data = { version: 'v2', steps: shape === 'chain' ? chainOf(count) : wideOf(count) };
      const { id } = await platen.post<{ id: string }>(user as PlatenUser, '/projects/collections', { title: name, data });
      collections.set(name, id);
    },
    submit: async (count, shape) => {
      const path = `/collections/${collections.get(`${shape} ${count}`)}/generations`;
      return (await platen.post<{ job_id: string }>(user as PlatenUser, path, { generations: 1 })).job_id;
    },
    close: async () => undefined,
  };
}

const stepOf = (id: number, template: string) => ({ id: `s${id}`, nodeName: 'prompt', nodePayload: { template } });

const chainOf = (count: number) =>
  Array.from({ length: count }, (_, id) => stepOf(id, id === 0 ? 'nothing' : `{{$ref:s${id - 1}}}`));

const wideOf = (count: number) =>
  Array.from({ length: count }, (_, id) => {
    if (id === 0) return stepOf(id, 'nothing');
    return stepOf(id, id === count - 1 ? '{{$ref:s1}} {{$ref:s2}}' : '{{$ref:s0}}');
  });

async function measure(bench: Bench, side: Side): Promise<Sample> {
  const repeats = bench.sized({ tiny: 1, quick: 3, full: 5 });
  const longest = bench.sized({ tiny: 20, quick: 1_000, full: 1_000 });
  const time = async (steps: number, shape: Shape, times: number) => {
    await side.prepare(steps, shape);
    const taken: number[] = [];
    for (let count = 0; count < times; count++) taken.push(await timeOf(side, steps, shape));
    return median(taken);
  };
  const sample = {
    chain_10: await time(10, 'chain', repeats * 2),
    chain_100: await time(longest / 10, 'chain', repeats),
    chain_1000: await time(longest, 'chain', 1),
    wide_1000: await time(longest, 'wide', 1),
  };
  return { ...sample, growth: sample.chain_1000 / sample.chain_100 };
}

/** Milliseconds until the job has ended, by the clock of the machine, which Postgres reads too. */
async function timeOf(side: Side, steps: number, shape: Shape): Promise<number> {
  const before = Date.now();
  const jobId = await side.submit(steps, shape);
  for (;;) {
    const { rows: [job] } = await side.rows.query<{ status: string; at: number }>(
      'select status, extract(epoch from completed_at)::float8 * 1000 as at from job where id = $1', [jobId],
    );
    if (job?.status === 'completed') return job.at - before;
    if (job?.status === 'failed') throw new Error(`Job ${jobId} has failed`);
    if (Date.now() - before > PATIENCE_MS) throw new Error(`Job ${jobId} does not end`);
    await delay(LOOK_EVERY_MS);
  }
}
