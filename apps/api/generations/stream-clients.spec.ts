import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { submitJob, type SubmittedJob } from '../../../test/factories/job.js';
import { buildStreams, type Streams } from '../../../test/factories/streams.js';
import type { TestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';
import { EventReader } from '../../../test/setup/event-source.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

describe('event streams and their clients', () => {
  let streams: Streams;

  beforeAll(async () => {
    streams = await buildStreams({});
  });
  afterAll(() => streams.close());

  it('keeps nothing of clients that went away', async () => {
    const job = await submitJob(streams.first.database, { steps });
    for (let round = 0; round < 5; round++) {
      const readers = await Promise.all(Array.from({ length: 40 }, () => streams.open(job)));
      for (const reader of readers) reader.close();
    }
    await eventually(async () => {
      const more = await Promise.all(Array.from({ length: 100 }, () => streams.open(job)));
      const statuses = more.map(({ status }) => status);
      for (const reader of more) reader.close();
      expect(statuses.every((status) => status === 200)).toBe(true);
    });
  });

  it('answers HEAD at once', async () => {
    const { jobId, userId } = await submitJob(streams.first.database, { steps });
    for (const path of [`/jobs/${jobId}/events`, '/events']) {
      const response = await fetch(`${streams.first.url}${path}`, { method: 'HEAD', headers: streams.first.as(userId) });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('text/event-stream');
    }
  });

  it('refuses more than 100 streams of one user', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const readers = await Promise.all(Array.from({ length: 101 }, () => streams.open(job)));
    const refused = readers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.response.headers.get('retry-after')).toBe('10');
    for (const reader of readers) reader.close();
  });

  it('reads no rows ahead for a client that does not read, and still serves the others', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const deaf = await neverReading(streams.first, job);
    const reader = await streams.open(job, 0);
    const text = 'x'.repeat(10_000);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) {
      await streams.transactions.change(job.jobId, async (change) => {
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
      const job = await submitJob(streams.first.database, { steps });
      expect((await EventReader.open(`${streams.first.url}/jobs/${job.jobId}/events`)).status).toBe(401);
      expect((await streams.open({ ...job, userId: randomUUID() })).status).toBe(404);
      expect((await streams.open({ ...job, jobId: randomUUID() })).status).toBe(404);
      expect((await streams.open({ ...job, jobId: 'nonsense' })).status).toBe(404);
    });

    it('open with a stream token, on any process and again for an hour', async () => {
      const job = await submitJob(streams.first.database, { steps });
      const issue = async () => {
        const answer = await fetch(`${streams.first.url}/jobs/${job.jobId}/stream-token`, {
          method: 'POST', headers: streams.first.as(job.userId),
        });
        expect(answer.status).toBe(201);
        return ((await answer.json()) as { data: { url: string; expires_in: number } }).data;
      };
      const status = async (url: string, api = streams.first) => {
        const reader = await EventReader.open(`${api.url}${url}`);
        reader.close();
        return reader.status;
      };
      const age = (column: string, seconds: number) =>
        streams.first.database.query(
          `update stream_token set ${column} = now() - make_interval(secs => $1)`, [seconds],
        );

      const used = await issue();
      expect(used.expires_in).toBe(60);
      expect(await status(used.url)).toBe(200);
      await age('created_at', 3_000);
      expect(await status(used.url, streams.second)).toBe(200);
      const unused = await issue();
      await age('created_at', 61);
      expect(await status(unused.url)).toBe(401);
      await age('used_at', 3_601);
      expect(await status(used.url)).toBe(401);
      const other = await submitJob(streams.first.database, { steps, userId: job.userId });
      const wrong = await issue();
      expect(await status(wrong.url.replace(job.jobId, other.jobId))).toBe(401);
    });
  });

  it('end at once when their process stops, and go on at another', async () => {
    const api = await streams.another();
    const job = await submitJob(streams.first.database, { steps });
    const reader = await streams.open(job, 0, api);
    await reader.take(1);
    const start = Date.now();
    await api.close();
    expect(Date.now() - start).toBeLessThan(10_000);
    await reader.untilEnded();
    const next = await streams.open(job, 1, streams.second);
    await streams.emit(job.jobId, 'node_started');
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
