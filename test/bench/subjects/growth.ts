import type { Bench } from '../bench.js';
import type { BenchProcess } from '../bench-process.js';
import { figureOf, type FigureSpec } from '../figure.js';
import { fill } from '../growth/fill.js';
import { SequentialScans } from '../growth/sequential-scans.js';
import type { ReadPage, ReadResult } from '../load/readers.js';
import type { SubmitResult } from '../load/submitters.js';
import { oneStepWorkflow, type OneStepTarget } from '../one-step-workflow.js';
import { Platen, type PlatenUser } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';
import { allCompleted, clockOf, secondsOfWork } from '../unfinished.js';

const CLIENTS = 8;
const SMALL = 1_000;
const GOAL = { bar: 1.5, moonshot: 1.2, better: 'lower' } as const;

/** Lists, as the user sees them who owns a tenth of everything. */
const PAGES: Record<string, ReadPage> = {
  'GET /jobs': { path: '/jobs?limit=20' },
  'GET /jobs?status=processing': { path: '/jobs?limit=20&status=processing' },
  'GET /jobs?status=failed': { path: '/jobs?limit=20&status=failed' },
  'GET /jobs?tag=': { path: '/jobs?limit=20&tag=tag-1' },
  'GET /jobs?external_id=': { path: '/jobs?limit=20&external_id=external-500' },
  'GET /assets': { path: '/assets?limit=20' },
  'GET /projects/collections': { path: '/projects/collections?limit=20' },
  'GET /collections': { path: '/collections?limit=20' },
  'GET /collections?q=': { path: '/collections?limit=20&q=ection%20999' },
  'GET /collections?q= of two letters': { path: '/collections?limit=20&q=Zo' },
  'GET /credits': { path: '/credits' },
  'GET /credits/ledger': { path: '/credits/ledger?limit=20' },
  'GET /workflows': { path: '/workflows?limit=20' },
  'GET /projects': { path: '/projects?limit=20' },
  'GET /events, to the snapshot': { path: '/events' },
};

const figures = (pages: Record<string, ReadPage>): FigureSpec[] => [
  { key: 'submit', name: 'A submission, median', unit: 'ms', goal: GOAL },
  { key: 'job', name: 'Submit, run and finish a job', unit: 'ms', goal: GOAL },
  ...Object.keys(pages).map((key) => ({ key, name: key, unit: 'ms', goal: GOAL })),
];

/** What a job, and looking at one's jobs, costs once there are very many of them. */
export const growth: Subject = {
  name: 'growth',
  title: 'The same Platen with 1,000 jobs and with very many, every row of theirs included',
  async run(bench) {
    const many = bench.sized({ tiny: 2_000, quick: 100_000, full: 1_000_000 });
    const load = {
      submitters: await bench.startScript('load/submitters.ts'),
      readers: await bench.startScript('load/readers.ts'),
    };
    const small = await sideOf(bench, 'small', SMALL);
    const large = await sideOf(bench, 'large', many);
    const scans = await SequentialScans.watch(large.platen.rows);
    const [before = [], after = []] = await bench.measure([
      { name: 'small', measure: () => measure(bench, load, small) },
      { name: 'large', measure: () => measure(bench, load, large) },
    ]);
    const found = await scans.found();
    return {
      columns: [`${SMALL.toLocaleString('en')} jobs`, `${many.toLocaleString('en')} jobs`],
      figures: figures(large.pages).map((spec) => figureOf(spec, before, after)),
      notes: [`Large tables that a query read from beginning to end: ${found.join(', ') || 'none'}.`],
    };
  },
};

interface Side {
  platen: Platen;
  owner: PlatenUser;
  target: OneStepTarget;
  pages: Record<string, ReadPage>;
}

interface Load {
  submitters: BenchProcess;
  readers: BenchProcess;
}

async function sideOf(bench: Bench, name: string, jobs: number): Promise<Side> {
  const platen = await Platen.start(bench, name, { REDIS_URL: await bench.redisUrl(name === 'small' ? 3 : 4) });
  const users = await platen.users(CLIENTS);
  const owner = users[0] as PlatenUser;
  const target = await oneStepWorkflow(platen, users);
  const began = Date.now();
  await fill(platen.rows, jobs, owner.id, target.workflowId);
  bench.options.say(`  ${jobs} jobs written in ${Math.round((Date.now() - began) / 1_000)} s`);
  await platen.worker();
  return { platen, owner, target, pages: { ...PAGES, ...(await deepPages(platen, owner)) } };
}

/** A page in the middle of each long list: it must not cost what lies before it. */
async function deepPages(platen: Platen, owner: PlatenUser): Promise<Record<string, ReadPage>> {
  const { rows: [middle] } = await platen.rows.query<Record<'at' | 'job' | 'collection' | 'asset' | 'entry' | 'txid', string>>(
    `with middle as materialized (
       select id, collection_id, created_at from job where user_id = $1
        order by created_at desc offset (select count(*) / 2 from job where user_id = $1) limit 1
     )
     select created_at::text as at, id as job, collection_id as collection,
            (select f.id from generation g join flat_file f on f.generation_id = g.id and f.deleted_at is null
              where g.job_id = middle.id) as asset,
            (select max(id) from credit_entry c where c.job_id = middle.id) as entry,
            (select max(txid::text) from job_history h where h.job_id = middle.id) as txid
       from middle`,
    [owner.id],
  );
  if (!middle) throw new Error('The owner has no jobs');
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  const cursor = (...parts: string[]) => encode(JSON.stringify(parts));
  const position = encode(`${middle.txid}.${middle.job}.1`);
  return {
    'GET /jobs, in the middle': { path: `/jobs?limit=20&cursor=${cursor(middle.at, middle.job)}` },
    'GET /jobs/:id': { path: `/jobs/${middle.job}` },
    'GET /jobs?collection_id=': { path: `/jobs?limit=20&collection_id=${middle.collection}` },
    'GET /collections/:id/public': { path: `/collections/${middle.collection}/public` },
    'GET /collections/:id/history': { path: `/collections/${middle.collection}/history` },
    'GET /collections/:id/metadata': { path: `/collections/${middle.collection}/metadata` },
    'GET /jobs/:id/history': { path: `/jobs/${middle.job}/history` },
    'GET /assets, in the middle': { path: `/assets?limit=20&cursor=${cursor(middle.asset)}` },
    'GET /credits/ledger, in the middle': { path: `/credits/ledger?limit=20&cursor=${cursor(middle.entry)}` },
    'GET /events, replay from the middle': { path: '/events', headers: { 'last-event-id': position } },
  };
}

async function measure(bench: Bench, { submitters, readers }: Load, side: Side): Promise<Sample> {
  const { platen, target, owner, pages } = side;
  const requests = bench.sized({ tiny: 10, quick: 200, full: 500 });
  const since = await clockOf(platen.rows);
  const { p50: submit } = await submitters.ask<SubmitResult>({ ...target, clients: CLIENTS, requests });
  await allCompleted(platen.rows, since);
  const job = ((await secondsOfWork(platen.rows, since)) * 1_000) / requests;
  const read = await readers.ask<ReadResult>({
    url: platen.url, headers: owner.headers, pages, requests: bench.sized({ tiny: 2, quick: 20, full: 50 }),
  });
  return { submit, job, ...read };
}
