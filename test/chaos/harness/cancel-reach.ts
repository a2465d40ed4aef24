import { setTimeout as delay } from 'node:timers/promises';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { busyStep, quickStep } from '../../e2e/pipelines.js';
import type { Client, Receipt } from '../../e2e/client.js';
import { percentile, type Storm } from './storm.js';
import { storeWork } from './works.js';

/** Computes for ten seconds and more. */
const LONG: Step[] = [busyStep('long', 400)];
const SHORT: Step[] = [quickStep('short')];
const REACH_MS = 1_000;
/** What a tenth allows for, which shares its machine with other tests. */
const BUSY_MS = 5_000;
const PATIENCE_MS = 30_000;

/**
 * How soon a cancel reaches a step that runs: a worker with one slot is busy with it while another job waits
 * for the slot, and begins when the step was really stopped. By the database's clock. Returns the jobs' ids.
 */
export async function measureCancelReach(storm: Storm, artist: Client, rounds: number): Promise<string[]> {
  const { town } = storm;
  const worker = await town.worker({ WORKER_CONCURRENCY: '1' });
  const [long, short] = await Promise.all([LONG, SHORT].map((steps) => storeWork(artist, steps)));
  const submit = (workflowId: string) =>
    artist.create<Receipt>('/api/collections/generate', { title: 'Reach', workflow_id: workflowId });
  const [waits, jobs]: [number[], string[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const { job_id: jobId } = await submit(long!);
    await hasEvent(storm, jobId, 'node_started');
    const next = await submit(short!);
    await delay(100);
    await artist.create(`/jobs/${jobId}/cancel`, {});
    const freed = await hasEvent(storm, next.job_id, 'generation_started');
    waits.push(freed.getTime() - (await hasEvent(storm, jobId, 'job_cancelled')).getTime());
    await artist.ended(next.job_id);
    jobs.push(jobId, next.job_id);
  }
  storm.did('running steps cancelled', rounds);
  storm.figure('cancel to a free worker p50', percentile(waits, 0.5), 'ms');
  storm.figure('cancel to a free worker p95', percentile(waits, 0.95), 'ms', storm.sized(REACH_MS, BUSY_MS));
  await worker.end('SIGTERM');
  return jobs;
}

/** When the job's event was recorded, once it is. */
async function hasEvent(storm: Storm, jobId: string, type: string): Promise<Date> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const [row] = await storm.town.query<{ at: Date }>(
      'select at from job_history where job_id = $1 and type = $2 order by seq limit 1',
      [jobId, type],
    );
    if (row) return row.at;
    if (Date.now() > deadline) throw new Error(`Job ${jobId} had no ${type} within ${PATIENCE_MS / 1_000} s`);
    await delay(50);
  }
}
