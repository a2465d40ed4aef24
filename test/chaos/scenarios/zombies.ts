import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from '../../e2e/program.js';
import { busyStep } from '../../e2e/pipelines.js';
import { untilCalm } from '../harness/calm.js';
import { Load, type Work } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

/** So many sleep at once; the others finish what they held. */
const SLEEPERS = 5;
const OTHERS = 2;
const CONCURRENCY = '2';
/** A lease lasts 10 s; one who sleeps in the middle of a transaction keeps its locks for 30 s at most. */
const TAKEOVER_MS = 90_000;
const WAKING_MS = 3_000;
const ROUNDS_AT_MOST = 3;
const DRAIN_MS = 120_000;

/** Seconds of work, so that a worker that is stopped is in the middle of it. */
const SLOW = [busyStep('one', 20), busyStep('two', 20, { a: { $ref: 'one' } })];

export const zombies: Scenario = {
  name: 'zombies',
  promise: 'A worker that sleeps past its lease and wakes when others have finished its work changes nothing.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(1);
    const load = await Load.of(storm, () => apis);
    const work = await load.store(SLOW);
    const workers = await town.startWorkers(SLEEPERS + OTHERS, { WORKER_CONCURRENCY: CONCURRENCY });
    const wanted = storm.sized(100, 10);
    const rounds = Math.ceil(wanted / SLEEPERS) * ROUNDS_AT_MOST;
    for (let round = 0; round < rounds && (storm.done.get('zombies') ?? 0) < wanted; round++) {
      await sleepAndWake(storm, load, work, workers);
    }
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('zombies', wanted);
    storm.mustReach('generations completed', wanted);
  },
};

async function sleepAndWake(storm: Storm, load: Load, work: Work, workers: Program[]): Promise<void> {
  const wanted = workers.length * Number(CONCURRENCY);
  await Promise.all(Array.from({ length: wanted }, () => load.submit(work)));
  const sleepers = await busyOnes(storm, workers);
  for (const { program } of sleepers) program.signal('SIGSTOP');
  const jobs = sleepers.flatMap((sleeper) => sleeper.jobs);
  await untilEnded(storm, jobs);
  const before = await pictureOf(storm, jobs);
  for (const { program } of sleepers) program.signal('SIGCONT');
  await delay(WAKING_MS);
  const after = await pictureOf(storm, jobs);
  if (before !== after) storm.fault(`A zombie changed something:\n${before}\nbecame\n${after}`);
  storm.did('zombies', sleepers.length);
}

interface Sleeper {
  program: Program;
  /** Of the generations it holds: each job has but one. */
  jobs: string[];
}

/** Waits until `SLEEPERS` workers are in the middle of a step, and says of what. */
async function busyOnes({ town }: Storm, workers: Program[]): Promise<Sleeper[]> {
  const deadline = Date.now() + TAKEOVER_MS;
  for (;;) {
    const rows = await town.query<{ leased_by: string; jobs: string[] }>(
      `select g.leased_by, array_agg(g.job_id) as jobs from generation g
         join step_run s on s.generation_id = g.id and s.status = 'running'
        where g.status = 'processing' group by g.leased_by`,
    );
    const found = workers.flatMap((program) => {
      const row = rows.find(({ leased_by }) => leased_by.includes(`-${program.pid}-`));
      return row ? [{ program, jobs: row.jobs }] : [];
    });
    if (found.length >= SLEEPERS || Date.now() > deadline) return found.slice(0, SLEEPERS);
    await delay(50);
  }
}

async function untilEnded({ town }: Storm, jobs: string[]): Promise<void> {
  const deadline = Date.now() + TAKEOVER_MS;
  while (Date.now() < deadline) {
    const [row] = await town.query<{ open: number }>(
      `select count(*)::int as open from job
        where id = any($1) and status not in ('completed', 'failed', 'cancelled')`,
      [jobs],
    );
    if (row?.open === 0) return;
    await delay(200);
  }
}

/** What becomes of a file after its job. */
const DRAWN = ['thumbnails', 'thumbnail_url', 'thumbnail_due', 'thumbnail_attempts', 'thumbnail_error'];

/** All rows about these jobs, as one digest each. */
async function pictureOf({ town }: Storm, jobs: string[]): Promise<string> {
  const [row] = await town.query<{ picture: object }>(
    `select json_build_object(
       'job', (select md5(string_agg(t::text, '|' order by t.id)) from job t where id = any($1)),
       'generation', (select md5(string_agg(t::text, '|' order by t.id)) from generation t where job_id = any($1)),
       'events', (select md5(string_agg(t::text, '|' order by job_id, seq)) from job_history t where job_id = any($1)),
       'entries', (select md5(string_agg(t::text, '|' order by t.id)) from credit_entry t where job_id = any($1)),
       'files', (select md5(string_agg((to_jsonb(t) - $2::text[])::text, '|' order by t.id)) from flat_file t
                  where job_id = any($1)),
       'steps', (select md5(string_agg(t::text, '|' order by t.id)) from step_run t
                  where generation_id in (select id from generation where job_id = any($1)))) as picture`,
    [jobs, DRAWN],
  );
  return JSON.stringify(row?.picture);
}
