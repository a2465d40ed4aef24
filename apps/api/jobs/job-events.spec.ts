import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { submitJob, type SubmittedJob } from '../../../test/factories/job.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';
import { EventReader } from '../../../test/setup/event-source.js';
import { testRedisUrl } from '../../../test/setup/redis.js';
import { Ledger } from '#libs/credits/ledger.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { createEventBus } from '#libs/events/index.js';
import type { RecordedEventType } from '#libs/events/job-event.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];
const redisUrl = testRedisUrl();
const backends = [['Postgres', {}] as const, ...(redisUrl ? [['Redis', { REDIS_URL: redisUrl }] as const] : [])];

describe.each(backends)('event streams with %s', (_name, servers) => {
  let first: TestApi;
  let second: TestApi;
  let bus: EventBus;
  let transactions: JobTransactions;

  beforeAll(async () => {
    first = await startTestApi({ ...servers });
    const url = await databaseUrl(first);
    second = await startTestApi({ ...servers, DATABASE_URL: url });
    bus = createEventBus({ redisUrl: 'REDIS_URL' in servers ? servers.REDIS_URL : undefined, databaseUrl: url });
    transactions = new JobTransactions(first.database, new Ledger(), bus);
    await eventually(() => expect(bus.healthy()).toBe(true));
  });
  afterAll(async () => {
    await bus.close();
    await second.close();
    await first.close();
  });

  const emit = (jobId: string, ...types: RecordedEventType[]) =>
    transactions.change(jobId, async (change) => types.forEach((type) => change.emit(type)));
  const finish = (jobId: string) =>
    transactions.change(jobId, async (change) => {
      change.job.failed = change.job.generations;
      change.finish();
    });
  const open = ({ jobId, userId }: SubmittedJob, lastEventId?: number | string, api = first) =>
    EventReader.open(`${api.url}/jobs/${jobId}/events`, {
      ...api.as(userId),
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    });

  it('begins with a snapshot that carries the last event, then goes on live to the last event', async () => {
    const job = await submitJob(first.database, { steps, generations: 2 });
    await emit(job.jobId, 'generation_started', 'node_started');
    const reader = await open(job);
    const [snapshot] = await reader.take(1);
    expect(snapshot).toMatchObject({ id: '3', event: 'snapshot', data: { id: job.jobId, status: 'pending' } });
    expect(snapshot!.data.generations).toHaveLength(2);
    expect(reader.retry).toBe(3_000);
    expect(reader.response.headers.get('cache-control')).toContain('no-transform');
    await emit(job.jobId, 'node_completed');
    await finish(job.jobId);
    await reader.untilEnded();
    expect(reader.received.slice(1).map(({ id, event }) => [id, event])).toEqual([
      ['4', 'node_completed'],
      ['5', 'job_failed'],
    ]);
    expect(reader.received[1]!.data).toMatchObject({ seq: 4, type: 'node_completed', job_id: job.jobId });
  });

  it('gives 1, 2, 3 … without gap or repeat when cut and resumed at every event, on two processes', async () => {
    const job = await submitJob(first.database, { steps });
    const total = 40;
    const writing = (async () => {
      for (let seq = 2; seq < total; seq++) {
        await emit(job.jobId, 'node_completed');
        if (seq % 5 === 0) await delay(5);
      }
      await finish(job.jobId);
    })();
    const ids: number[] = [];
    for (let turn = 0; ids.at(-1) !== total; turn++) {
      const reader = await open(job, ids.at(-1) ?? 0, turn % 2 === 0 ? first : second);
      await reader.take(1);
      ids.push(reader.ids[0]!);
      reader.close();
    }
    await writing;
    expect(ids).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });

  it('tells every client the same, however many events come at once', async () => {
    const job = await submitJob(first.database, { steps });
    const readers = await Promise.all([first, second, first, second].map((api) => open(job, 0, api)));
    for (let burst = 0; burst < 10; burst++) await emit(job.jobId, ...Array(50).fill('node_completed'));
    await finish(job.jobId);
    await Promise.all(readers.map((reader) => reader.untilEnded(10_000)));
    for (const { ids } of readers) expect(ids).toEqual(Array.from({ length: 502 }, (_, index) => index + 1));
  });

  it('finds events within seconds whose message was lost', async () => {
    const job = await submitJob(first.database, { steps });
    const reader = await open(job);
    await reader.take(1);
    const silent = new JobTransactions(first.database, new Ledger(), { publish: async () => {} } as unknown as EventBus);
    await silent.change(job.jobId, async (change) => change.emit('node_completed'));
    await reader.take(2, 7_000);
    expect(reader.ids).toEqual([2]);
    reader.close();
  });

  it('answers 204 after the last event, and streams again after a resume', async () => {
    const job = await submitJob(first.database, { steps });
    await finish(job.jobId);
    expect((await open(job, 2)).status).toBe(204);
    const late = await open(job);
    await late.untilEnded();
    expect(late.received.map(({ event }) => event)).toEqual(['snapshot']);
    await emit(job.jobId, 'job_resumed');
    await first.database.query("update job set status = 'processing' where id = $1", [job.jobId]);
    const again = await open(job, 0);
    await again.take(3);
    expect(again.received.map(({ event }) => event)).toEqual(['job_queued', 'job_failed', 'job_resumed']);
    expect(again.ended).toBe(false);
    again.close();
  });

  it.each(['99', '-1', 'x', '1.5', '9'.repeat(30)])('takes an impossible Last-Event-ID (%s) for none', async (id) => {
    const job = await submitJob(first.database, { steps });
    const reader = await open(job, id);
    expect((await reader.take(1))[0]!.event).toBe('snapshot');
    reader.close();
  });

  it('passes progress on without id, five times a second per step at most', async () => {
    const job = await submitJob(first.database, { steps });
    const reader = await open(job);
    await reader.take(1);
    const start = Date.now();
    while (Date.now() - start < 1_000) {
      await bus.publish({
        kind: 'progress', userId: job.userId, collectionId: null,
        event: { type: 'node_progress', job_id: job.jobId, at: new Date().toISOString(), step_id: '1', progress: 5 },
      });
      await delay(10);
    }
    await delay(100);
    const progress = reader.received.filter(({ event }) => event === 'node_progress');
    expect(progress.length).toBeGreaterThanOrEqual(3);
    expect(progress.length).toBeLessThanOrEqual(6);
    expect(progress.every(({ id }) => id === undefined)).toBe(true);
    reader.close();
  });

  describe('of all jobs', () => {
    const openAll = (userId: string, lastEventId?: string, api = first) =>
      EventReader.open(`${api.url}/events`, { ...api.as(userId), ...(lastEventId && { 'last-event-id': lastEventId }) });
    const told = (reader: EventReader) =>
      reader.received.filter(({ event }) => event !== 'snapshot').map(({ data }) => `${data.job_id}:${data.seq}`);

    it('tells each event of each job once, in the order of each job, across cuts', async () => {
      const userId = randomUUID();
      const jobs = await Promise.all([1, 2, 3].map(() => submitJob(first.database, { steps, userId })));
      const start = await openAll(userId);
      const [snapshot] = await start.take(1);
      expect(snapshot!.data.jobs.map(({ id }: { id: string }) => id).sort()).toEqual(jobs.map(({ jobId }) => jobId).sort());
      start.close();
      const writing = Promise.all(
        jobs.map(async ({ jobId }) => {
          for (let seq = 2; seq <= 15; seq++) await emit(jobId, 'node_completed');
        }),
      );
      const all: string[] = [];
      let last = snapshot!.id;
      for (let turn = 0; all.length < 3 * 14; turn++) {
        const reader = await openAll(userId, last, turn % 2 === 0 ? first : second);
        await reader.take(1);
        const received = [...reader.received];
        reader.close();
        all.push(...received.map(({ data }) => `${data.job_id}:${data.seq}`));
        last = received.at(-1)!.id;
      }
      await writing;
      for (const { jobId } of jobs) {
        const mine = all.filter((event) => event.startsWith(jobId));
        expect(mine).toEqual(Array.from({ length: 14 }, (_, index) => `${jobId}:${index + 2}`));
      }
    });

    it('does not pass by an event whose transaction commits late', async () => {
      const userId = randomUUID();
      const [slow, quick] = [await submitJob(first.database, { steps, userId }), await submitJob(first.database, { steps, userId })];
      const reader = await openAll(userId);
      await reader.take(1);
      await transactions.change(slow.jobId, async (change) => {
        change.emit('node_started');
        await change.tx.query('select pg_current_xact_id()');
        await emit(quick.jobId, 'node_started');
        await delay(300);
      });
      await emit(quick.jobId, 'node_completed');
      await eventually(() => expect(told(reader)).toHaveLength(3));
      expect(told(reader).sort()).toEqual([`${slow.jobId}:2`, `${quick.jobId}:2`, `${quick.jobId}:3`].sort());
      reader.close();
    });

    it('tells nothing of other users', async () => {
      const [mine, others] = [await submitJob(first.database, { steps }), await submitJob(first.database, { steps })];
      const reader = await openAll(mine.userId);
      await reader.take(1);
      await emit(others.jobId, 'node_started');
      await emit(mine.jobId, 'node_started');
      await reader.take(2);
      expect(told(reader)).toEqual([`${mine.jobId}:2`]);
      reader.close();
    });
  });

  it('keeps nothing of clients that went away', async () => {
    const job = await submitJob(first.database, { steps });
    for (let round = 0; round < 5; round++) {
      const readers = await Promise.all(Array.from({ length: 40 }, () => open(job)));
      for (const reader of readers) reader.close();
    }
    await eventually(async () => {
      const more = await Promise.all(Array.from({ length: 100 }, () => open(job)));
      const statuses = more.map(({ status }) => status);
      for (const reader of more) reader.close();
      expect(statuses.every((status) => status === 200)).toBe(true);
    });
  });

  it('refuses more than 100 streams of one user', async () => {
    const job = await submitJob(first.database, { steps });
    const readers = await Promise.all(Array.from({ length: 101 }, () => open(job)));
    const refused = readers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.response.headers.get('retry-after')).toBe('10');
    for (const reader of readers) reader.close();
  });

  it('reads no rows ahead for a client that does not read, and still serves the others', async () => {
    const job = await submitJob(first.database, { steps });
    const deaf = await neverReading(first, job);
    const reader = await open(job, 0);
    const text = 'x'.repeat(10_000);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) {
      await transactions.change(job.jobId, async (change) => {
        for (let n = 0; n < 20; n++) change.emit('node_completed', { message: text });
      });
    }
    await eventually(() => expect(reader.ids.at(-1)).toBe(2_001), 15_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * 1024 ** 2);
    reader.close();
    deaf.destroy();
  }, 40_000);

  describe('for callers', () => {
    it('are closed to those without credentials, and hide the jobs of others', async () => {
      const job = await submitJob(first.database, { steps });
      expect((await EventReader.open(`${first.url}/jobs/${job.jobId}/events`)).status).toBe(401);
      expect((await open({ ...job, userId: randomUUID() })).status).toBe(404);
      expect((await open({ ...job, jobId: randomUUID() })).status).toBe(404);
      expect((await open({ ...job, jobId: 'nonsense' })).status).toBe(404);
    });

    it('open with a stream token, on any process and again for an hour', async () => {
      const job = await submitJob(first.database, { steps });
      const issue = async () => {
        const answer = await fetch(`${first.url}/jobs/${job.jobId}/stream-token`, { method: 'POST', headers: first.as(job.userId) });
        expect(answer.status).toBe(201);
        return ((await answer.json()) as any).data;
      };
      const status = async (url: string, api = first) => {
        const reader = await EventReader.open(`${api.url}${url}`);
        reader.close();
        return reader.status;
      };
      const age = (column: string, seconds: number) =>
        first.database.query(`update stream_token set ${column} = now() - make_interval(secs => $1)`, [seconds]);

      const used = await issue();
      expect(used.expires_in).toBe(60);
      expect(await status(used.url)).toBe(200);
      await age('created_at', 3_000);
      expect(await status(used.url, second)).toBe(200);
      const unused = await issue();
      await age('created_at', 61);
      expect(await status(unused.url)).toBe(401);
      await age('used_at', 3_601);
      expect(await status(used.url)).toBe(401);
      const other = await submitJob(first.database, { steps, userId: job.userId });
      const wrong = await issue();
      expect(await status(wrong.url.replace(job.jobId, other.jobId))).toBe(401);
    });
  });

  it('end at once when their process stops, and go on at another', async () => {
    const api = await startTestApi({ ...servers, DATABASE_URL: await databaseUrl(first) });
    const job = await submitJob(first.database, { steps });
    const reader = await open(job, 0, api);
    await reader.take(1);
    const start = Date.now();
    await api.close();
    expect(Date.now() - start).toBeLessThan(4_000);
    await reader.untilEnded();
    const next = await open(job, 1, second);
    await emit(job.jobId, 'node_started');
    await next.take(1);
    expect(next.ids).toEqual([2]);
    next.close();
  });
});

/** A client that asks for the stream and then takes nothing from its socket. */
async function neverReading(api: TestApi, { jobId, userId }: SubmittedJob): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(
    `GET /jobs/${jobId}/events HTTP/1.1\r\nHost: test\r\nLast-Event-ID: 0\r\n` +
      `Authorization: ${api.as(userId).authorization}\r\n\r\n`,
  );
  await delay(200);
  return socket;
}

async function databaseUrl({ database }: TestApi): Promise<string> {
  const [row] = await database.query<{ name: string }>('select current_database() as name');
  const url = new URL(process.env['PLATEN_TEST_DATABASE_URL']!);
  url.pathname = `/${row!.name}`;
  return url.href;
}
