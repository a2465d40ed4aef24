import { setTimeout as delay } from 'node:timers/promises';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { Client } from '../../e2e/client.js';
import { busyStep, quickStep } from '../../e2e/pipelines.js';
import type { Program } from '../../e2e/program.js';
import type { EventReader } from '../../setup/event-source.js';
import { BalancedPair } from '../harness/balanced-pair.js';
import { openGenerations, untilCalm } from '../harness/calm.js';
import { percentile, type Storm } from '../harness/storm.js';
import type { Scenario } from '../harness/scenario.js';
import { storeWork } from '../harness/works.js';

const GRACE_MS = 3_000;
const MARGIN_MS = 2_000;
/** From a hand-back to the moment when the other worker goes on. */
const RESUMED_MS = 2_000;
/** What a tenth allows for, which shares its machine with other tests. */
const BUSY_MS = 15_000;
/** Jobs that run, and jobs that wait all the time, for a lane that no worker serves. */
const RUNNING_JOBS = 8;
const WAITING_JOBS = 12;
const STREAMS = 50;
const DRAIN_MS = 180_000;
/** Slots for all jobs in either worker: what one hands back waits for nothing but the other's look. */
const WORKER = {
  WORKER_CONCURRENCY: String(2 * RUNNING_JOBS), WORKER_LANES: 'default', SHUTDOWN_GRACE_MS: String(GRACE_MS),
};
const API = { SHUTDOWN_GRACE_MS: String(GRACE_MS) };
const SKETCH: Step = {
  id: 'art', nodeName: 'p5', nodePayload: { code: 'function setup() {}', width: 50, height: 50 },
};

/** Some end within the grace time, some must be handed back. */
const WORKS: Step[][] = [
  [busyStep('a', 2), busyStep('b', 2, { a: { $ref: 'a' } }), quickStep('c', { b: { $ref: 'b' } })],
  [busyStep('long', 40), quickStep('after', { long: { $ref: 'long' } })],
];

export const shutdown: Scenario = {
  name: 'shutdown',
  promise: 'Told to stop amid work, a process is gone in time, its work goes on at once, no one is refused.',

  async run(storm) {
    const scene = await Scene.set(storm);
    let over = false;
    const rounds = scene.rounds(storm.sized(30, 2)).finally(() => (over = true));
    await Promise.all([rounds, scene.keepOpen(() => over)]);
    await scene.cancelWaiting();
    await untilCalm(storm, DRAIN_MS);
    await scene.tell();
  },
};

/** Two APIs, two workers, jobs and streams; one of each is stopped and replaced in every round. */
class Scene {
  private readonly exits: Record<'worker' | 'API', number[]> = { worker: [], API: [] };
  private readonly receipts = new Set<string>();
  private readonly works: string[] = [];
  private readonly waiting: string[] = [];

  private constructor(
    private readonly storm: Storm,
    private readonly pair: BalancedPair,
    private readonly workers: Program[],
    private readonly artist: Client,
  ) {
    storm.receipts = this.receipts;
  }

  static async set(storm: Storm): Promise<Scene> {
    const [apis, workers] = [await storm.town.startApis(2, API), await storm.town.startWorkers(2, WORKER)];
    const artist = await storm.town.richClient(apis[0]!, 1e6);
    const scene = new Scene(storm, new BalancedPair(storm, apis), workers, artist);
    for (const steps of WORKS) scene.works.push(await scene.store(steps));
    const sketch = await scene.store([SKETCH]);
    for (let job = 0; job < WAITING_JOBS; job++) scene.waiting.push(await scene.submit(sketch));
    return scene;
  }

  async cancelWaiting(): Promise<void> {
    const client = this.artist.at(this.pair.apis[0]!);
    for (const jobId of this.waiting) await client.create(`/jobs/${jobId}/cancel`, {});
  }

  /** Submits all the time: as fast as the jobs end. */
  async keepOpen(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (await this.isFull()) await delay(50);
      else await this.submit(this.storm.random('load').pick(this.works));
    }
  }

  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      const place = round % 2;
      while (!(await this.isFull())) await delay(50);
      const readers = await this.openStreams(place);
      await this.stopWorker(place);
      await this.stopApi(place, readers);
      for (const reader of readers) reader.close();
    }
  }

  async tell(): Promise<void> {
    const { storm } = this;
    for (const [what, times] of Object.entries(this.exits)) {
      const limit = GRACE_MS + storm.sized(MARGIN_MS, BUSY_MS);
      storm.figure(`${what}: SIGTERM to exit, longest`, Math.max(...times), 'ms', limit);
      storm.did(`${what} stopped`, times.length);
      storm.mustReach(`${what} stopped`, storm.sized(30, 2));
    }
    const rows = await storm.town.query<{ wait: number }>(HAND_BACKS);
    const waits = rows.map(({ wait }) => wait);
    storm.did('generations handed back', waits.length);
    storm.mustReach('generations handed back', storm.sized(30, 2));
    storm.figure('handed back to resumed p50', percentile(waits, 0.5), 'ms');
    const limit = storm.sized(RESUMED_MS, BUSY_MS);
    storm.figure('handed back to resumed, longest', Math.max(...waits), 'ms', limit);
    const [lost] = await storm.town.query<{ count: number }>(
      `select count(*)::int as count from step_run where error ->> 'code' = 'WORKER_LOST'`,
    );
    if (lost!.count > 0) storm.fault(`${lost!.count} steps were left to the end of their leases`);
  }

  private async isFull(): Promise<boolean> {
    return (await openGenerations(this.storm.town)) >= RUNNING_JOBS + WAITING_JOBS;
  }

  private async store(steps: Step[]): Promise<string> {
    return storeWork(this.artist, steps);
  }

  private async submit(workflowId: string): Promise<string> {
    const receipt = await this.pair.submit(this.artist, workflowId);
    if (receipt) this.receipts.add(receipt.job_id);
    return receipt?.job_id ?? '';
  }

  /** Streams of jobs that run now, at both APIs alike. */
  private async openStreams(place: number): Promise<EventReader[]> {
    const rows = await this.storm.town.query<{ id: string }>(
      `select id from job where status in ('pending', 'processing') order by id desc limit ${STREAMS}`,
    );
    const { apis } = this.pair;
    const opening = Array.from({ length: STREAMS }, (_, index) =>
      this.artist.at(apis[(place + index) % 2]!).events(`/jobs/${rows[index % rows.length]!.id}/events`),
    );
    const readers = await Promise.all(opening);
    this.storm.did('streams opened', readers.length);
    return readers;
  }

  private async stopWorker(place: number): Promise<void> {
    this.exits.worker.push(await this.stop(this.workers[place]!));
    this.workers[place] = await this.storm.town.worker(WORKER);
  }

  private async stopApi(place: number, readers: EventReader[]): Promise<void> {
    const { apis } = this.pair;
    const { url } = apis[place]!;
    this.exits.API.push(await this.stop(apis[place]!.program));
    const open = readers.filter(({ response, ended }) => response.url.startsWith(url) && !ended);
    if (open.length > 0) this.storm.fault(`${open.length} streams outlive their API`);
    [apis[place]] = await this.storm.town.startApis(1, API) as [(typeof apis)[number]];
  }

  /** Milliseconds until it was gone. */
  private async stop(program: Program): Promise<number> {
    const startedAt = performance.now();
    const code = await program.end('SIGTERM');
    if (code !== 0) this.storm.fault(`A process ended with ${code}: ${program.errors.slice(-300)}`);
    return performance.now() - startedAt;
  }
}

/** Milliseconds from each hand-back to the moment when another worker went on. */
const HAND_BACKS = `
  select (extract(epoch from next.at - back.at) * 1000)::float8 as wait
    from job_history back, lateral (
      select at from job_history h
       where h.job_id = back.job_id and h.seq > back.seq and h.type = 'generation_resumed'
         and h.data ->> 'generation_id' = back.data ->> 'generation_id'
       order by h.seq limit 1) next
   where back.type = 'generation_waiting' and back.data ->> 'message' = 'Handed back'`;
