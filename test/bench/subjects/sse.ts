import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { v7 as uuid } from 'uuid';
import type { Bench } from '../bench.js';
import type { BenchProcess } from '../bench-process.js';
import { figureOf, type FigureSpec } from '../figure.js';
import type { Collected, ListenRequest } from '../load/listeners.js';
import type { PublishLoad } from '../load/publisher.js';
import { Platen } from '../platen.js';
import type { Sample } from '../rounds.js';
import type { Subject } from '../subject.js';

/** As many as one user may have open. */
const STREAMS_PER_USER = 100;
const STALLED = 100;
const SETTLED_MS = 2_000;

const FIGURES: FigureSpec[] = [
  {
    key: 'delivered', name: 'Events delivered, 100 listeners a job, saturated', unit: '1/s',
    goal: { bar: 0.7, moonshot: 0.9, better: 'higher' },
  },
  { key: 'p50', name: 'Publishing to receiving, a job each, median', unit: 'ms' },
  {
    key: 'p99', name: 'Publishing to receiving, a job each, 99 %', unit: 'ms',
    goal: { bar: 4, moonshot: 2, better: 'lower' },
  },
];
const MEMORY: FigureSpec = {
  key: 'kib', name: 'Memory per open stream', unit: 'KiB', goal: { bar: 3, moonshot: 1.5, better: 'lower' },
};
const STALLING: FigureSpec = {
  key: 'mib', name: `Memory added while ${STALLED} readers take nothing`, unit: 'MiB',
};

/** Live events to many browsers. */
export const sse: Subject = {
  name: 'sse',
  title: 'Server-Sent Events from Redis to thousands of streams, against bare node:http that writes to all it knows',
  async run(bench) {
    const platen = await Platen.start(bench, 'sse');
    const redisUrl = await bench.redisUrl(0);
    const bare = await bench.startScript('floors/sse-server.ts', { REDIS_URL: redisUrl, CHANNEL: BARE_CHANNEL });
    const publisher = await bench.startScript('load/publisher.ts', { REDIS_URL: redisUrl });
    const sides = [
      new Side('bare', {
        server: bare, url: bare.answer, channel: BARE_CHANNEL, publisher,
        listeners: await bench.startScript('load/listeners.ts'),
      }),
      new Side('platen', {
        server: platen.api, url: platen.url, channel: '{platen}:events', publisher, rows: platen.rows,
        listeners: await bench.startScript('load/listeners.ts'),
      }),
    ] as const;
    const streams = bench.sized({ tiny: 100, quick: 1_000, full: 2_000 });
    const jobs = await writeJobs(platen, streams);
    const [bareOpen, ownOpen] = [await sides[0].open(jobs), await sides[1].open(jobs)];
    const [floor = [], ours = []] = await bench.measure(
      sides.map((side) => ({ name: side.name, measure: () => side.measure(bench) })),
    );
    return {
      figures: [
        ...FIGURES.map((spec) => figureOf(spec, floor, ours)),
        figureOf(MEMORY, [{ kib: bareOpen }], [{ kib: ownOpen }]),
        figureOf(STALLING, [await sides[0].stall(bench)], [await sides[1].stall(bench)]),
      ],
      notes: [`${2 * streams} streams: half of them with a job each, half with 100 listeners a job.`],
    };
  },
};

const BARE_CHANNEL = 'bare-sse';

interface Listened {
  jobId: string;
  userId: string;
  headers: Record<string, string>;
}

interface Jobs {
  /** One listener each. */
  own: Listened[];
  /** A hundred each. */
  shared: Listened[];
}

async function writeJobs(platen: Platen, streams: number): Promise<Jobs> {
  const users = await platen.users(Math.ceil(streams / STREAMS_PER_USER) * 2);
  const jobOf = (place: number): Listened => {
    const user = users[place % users.length];
    if (!user) throw new Error('There is no user');
    return { jobId: uuid(), userId: user.id, headers: user.headers };
  };
  const half = users.length / 2;
  const own = Array.from({ length: streams }, (_, place) => jobOf(place % half));
  const shared = Array.from({ length: half }, (_, place) => jobOf(half + place));
  const all = [...own, ...shared];
  await platen.rows.query(
    `insert into job (id, user_id, name, job_type, status, priority, instruction_set, seq, generations)
     select id, user_id, 'Stream', 'collection_generation', 'processing', 50, '{"steps": []}', 1, 1
       from unnest($1::uuid[], $2::uuid[]) j (id, user_id)`,
    [all.map(({ jobId }) => jobId), all.map(({ userId }) => userId)],
  );
  return { own, shared };
}

interface SideParts {
  server: BenchProcess;
  url: string;
  channel: string;
  listeners: BenchProcess;
  publisher: BenchProcess;
  /** Where the events are recorded, for those who fall behind. */
  rows?: pg.Client;
}

/** One server, its listeners, and where its streams are. */
class Side {
  private jobs: Jobs = { own: [], shared: [] };
  private next = { own: 2, shared: 2 };

  constructor(
    readonly name: string,
    private readonly parts: SideParts,
  ) {}

  /** Opens all streams; returns the KiB that each of them costs. */
  async open(jobs: Jobs): Promise<number> {
    this.jobs = jobs;
    const streamOf = ({ jobId, headers }: Listened) => ({ url: `${this.parts.url}/jobs/${jobId}/events`, headers });
    const before = this.parts.server.memory();
    await this.listen({ group: 'own', open: jobs.own.map(streamOf) });
    const shared = jobs.shared.flatMap((job) => Array.from({ length: STREAMS_PER_USER }, () => streamOf(job)));
    await this.listen({ group: 'shared', open: shared });
    await delay(SETTLED_MS);
    return ((this.parts.server.memory() - before) * 1_024) / (jobs.own.length + shared.length);
  }

  async measure(bench: Bench): Promise<Sample> {
    const quiet = await this.tell('own', bench.sized({ tiny: 2, quick: 5, full: 10 }), 1_000);
    const loud = await this.tell('shared', bench.sized({ tiny: 10, quick: 400, full: 800 }));
    return { delivered: loud.delivered / loud.seconds, p50: quiet.p50, p99: quiet.p99 };
  }

  /** MiB that the server grows by while some listeners take nothing. */
  async stall(bench: Bench): Promise<Sample> {
    await this.listen({ group: 'shared', pause: STALLED });
    const before = this.parts.server.memory();
    await this.tell('shared', bench.sized({ tiny: 10, quick: 2_000, full: 4_000 }), undefined, 1_000);
    return { mib: Math.max(0.1, this.parts.server.memory() - before) };
  }

  private async tell(which: keyof Jobs, events: number, perSecond?: number, padding = 0): Promise<Collected> {
    const jobs = which === 'own' ? this.jobs.own : this.jobs.shared;
    const listeners = which === 'own' ? 1 : STREAMS_PER_USER;
    const first = this.next[which];
    this.next[which] += events;
    const load: PublishLoad = { channel: this.parts.channel, jobs, first, events, perSecond, padding };
    await this.parts.rows?.query(RECORD, [jobs.map(({ jobId }) => jobId), first, first + events - 1]);
    const [collected] = await Promise.all([
      this.parts.listeners.ask<Collected>({
        group: which, collect: events * jobs.length * listeners, timed: perSecond !== undefined,
      }),
      this.parts.publisher.ask(load),
    ]);
    return collected;
  }

  private async listen(request: ListenRequest): Promise<void> {
    await this.parts.listeners.ask(request);
  }
}

const RECORD = `
  insert into job_history (job_id, seq, user_id, type, data)
  select id, event.number, user_id, 'node_started', '{"node": "prompt"}'
    from job, generate_series($2::int, $3::int) as event (number)
   where id = any($1::uuid[])`;
