import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { v7 as uuid } from 'uuid';
import type { Client, Receipt } from '../../e2e/client.js';
import type { Api } from '../../e2e/processes.js';
import { untilCalm } from '../harness/calm.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';
import { StreamFollower } from '../harness/stream-follower.js';
import { DOOMED, storeWork, WORKS } from '../harness/works.js';

const WORKERS = 3;
const FOLLOWERS_OF_JOB = 5;
const JOBS_AT_ONCE = 8;
/** A quick machine is through with the jobs before its APIs were restarted often enough, and is given more, up to so many. */
const MOST_JOBS = 2_000;
const DRAIN_MS = 60_000;

export const streams: Scenario = {
  name: 'streams',
  promise: 'However often its stream is cut, by whomever, a client sees events 1 … n once and in order.',

  async run(storm) {
    const { town } = storm;
    storm.mustReach('streams whole', storm.sized(500, 50));
    storm.mustReach('cuts by clients', storm.sized(1_000, 100));
    storm.mustReach('cuts from the other side', storm.sized(20, 1));
    storm.mustReach('APIs restarted', storm.sized(10, 1));
    const apis = await town.startApis(2);
    await town.startWorkers(WORKERS);
    const artist = await town.richClient(apis[0]!, 1e6);
    const works = await Promise.all([...WORKS, DOOMED].map((steps) => storeWork(artist, steps)));
    let over = false;
    const following = followJobs(storm, artist, apis, works).finally(() => (over = true));
    await Promise.all([following, disturb(storm, apis, () => over)]);
    await untilCalm(storm, DRAIN_MS);
  },
};

async function followJobs(storm: Storm, artist: Client, apis: Api[], works: string[]): Promise<void> {
  const random = storm.random('jobs');
  storm.receipts = new Set();
  const followOne = async () => {
    const body = { title: 'Storm', workflow_id: random.pick(works), generations: random.integer(1, 4) };
    const headers = { 'idempotency-key': uuid() };
    const { job_id: jobId } = await persistently(() =>
      artist.at(random.pick(apis)).create<Receipt>('/api/collections/generate', body, headers),
    );
    (storm.receipts as Set<string>).add(jobId);
    const followers = Array.from(
      { length: FOLLOWERS_OF_JOB },
      () => new StreamFollower(storm, artist, apis, jobId),
    );
    await Promise.all(followers.map((follower) => follower.follow()));
    const [job] = await storm.town.query<{ seq: string }>('select seq from job where id = $1', [jobId]);
    for (const follower of followers) follower.judge(Number(job?.seq));
  };
  let jobs = 0;
  const followOneByOne = async () => {
    while (!storm.hasReachedAll() && jobs++ < MOST_JOBS) await followOne();
  };
  await Promise.all(Array.from({ length: JOBS_AT_ONCE }, followOneByOne));
}

/** Restarts APIs, in order or not, and empties Redis. */
async function disturb(storm: Storm, apis: Api[], isOver: () => boolean): Promise<void> {
  const random = storm.random('disturbances');
  for (let turn = 0; !isOver(); turn++) {
    await delay(random.integer(500, 2_000));
    if (storm.town.hasRedis && random.number() < 0.4) await flush(storm);
    else await restart(storm, apis, turn % 2, random.pick(['SIGTERM', 'SIGKILL'] as const));
  }
}

async function restart(storm: Storm, apis: Api[], place: number, signal: NodeJS.Signals): Promise<void> {
  await apis[place]!.program.end(signal);
  apis[place] = await storm.town.api();
  storm.did('APIs restarted');
}

async function flush(storm: Storm): Promise<void> {
  const redis = new Redis(storm.town.redis.url);
  await redis.flushall().finally(() => redis.disconnect());
  storm.did('FLUSHALL');
}

/** Again while an API is between two lives. */
async function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}
