import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyStep } from '../../e2e/pipelines.js';
import { untilCalm } from '../harness/calm.js';
import { Crew } from '../harness/crew.js';
import { Load } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';
import { WORKS } from '../harness/works.js';

const WORKERS = 3;
/** Twice beside others, twice alone. */
const DEATHS_AT_MOST = 4;
const DRAIN_MS = 300_000;

export const poisonStep: Scenario = {
  name: 'poison-step',
  promise: 'A step that ends every worker it runs in fails alone, among hundreds of good ones.',

  async run(storm) {
    const apis = await storm.town.startApis(1);
    const load = await Load.of(storm, () => apis);
    const jobsIn = join(storm.town.folder, 'poison.jobs');
    const poison = storm.crashAt('step.before-run', { jobsIn });
    const good = await load.store(WORKS[0] ?? []);
    const poisonous = await load.store([busyStep('poison', 0.1)]);
    // Nobody works yet: the mark is there before the first worker comes to the step.
    const generations = storm.sized(500, 50);
    for (let left = generations; left > 0; left -= 10) await load.submit(good, Math.min(10, left));
    const { job_id: jobId } = await load.submit(poisonous);
    appendFileSync(jobsIn, `${jobId}\n`);
    const crew = await Crew.of(storm, WORKERS, () => poison);
    await untilCalm(storm, DRAIN_MS);
    await judge(storm, jobId);
    storm.mustReach('generations completed', generations);
    storm.mustReach('workers died', DEATHS_AT_MOST);
    await crew.dismiss();
  },
};

async function judge(storm: Storm, jobId: string): Promise<void> {
  const [poison] = await storm.town.query<{ status: string; code: string; starts: number }>(
    `select g.status, g.error ->> 'code' as code, (select count(*)::int from step_run where generation_id = g.id) as starts
       from generation g where g.job_id = $1`,
    [jobId],
  );
  const { status, code, starts = 0 } = poison ?? {};
  storm.figure('starts of the poison step', starts, 'starts', DEATHS_AT_MOST);
  if (status !== 'failed' || code !== 'WORKER_LOST') storm.fault(`The poison generation is ${status} (${code})`);
  const harmed = await storm.town.query<{ id: string }>(
    `select id from generation where status <> 'completed' and job_id <> $1`,
    [jobId],
  );
  if (harmed.length > 0) storm.fault(`${harmed.length} good generations did not complete`);
}
