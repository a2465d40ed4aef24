import { setTimeout as delay } from 'node:timers/promises';
import { submitJob } from '../../../test/factories/job.js';
import { BACKENDS, buildStreams, type Streams } from '../../../test/factories/streams.js';
import { Ledger } from '#libs/credits/ledger.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

describe.each(BACKENDS)('the event stream of a job, with %s', (_name, variables) => {
  let streams: Streams;

  beforeAll(async () => {
    streams = await buildStreams(variables);
  });
  afterAll(() => streams.close());

  it('begins with a snapshot that carries the last event, then goes on live to the last event', async () => {
    const job = await submitJob(streams.first.database, { steps, generations: 2 });
    await streams.emit(job.jobId, 'generation_started', 'node_started');
    const reader = await streams.open(job);
    const [snapshot] = await reader.take(1);
    expect(snapshot).toMatchObject({ id: '3', event: 'snapshot', data: { id: job.jobId, status: 'pending' } });
    expect(snapshot!.data.generations).toHaveLength(2);
    expect(reader.retry).toBe(3_000);
    expect(reader.response.headers.get('cache-control')).toContain('no-transform');
    await streams.emit(job.jobId, 'node_completed');
    await streams.finish(job.jobId);
    await reader.untilEnded();
    expect(reader.received.slice(1).map(({ id, event }) => [id, event])).toEqual([
      ['4', 'node_completed'],
      ['5', 'job_failed'],
    ]);
    expect(reader.received[1]!.data).toMatchObject({ seq: 4, type: 'node_completed', job_id: job.jobId });
  });

  it('gives 1, 2, 3 … without gap or repeat when cut and resumed at every event, on two processes', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const total = 40;
    const writing = (async () => {
      for (let seq = 2; seq < total; seq++) {
        await streams.emit(job.jobId, 'node_completed');
        if (seq % 5 === 0) await delay(5);
      }
      await streams.finish(job.jobId);
    })();
    const ids: number[] = [];
    for (let turn = 0; ids.at(-1) !== total; turn++) {
      const reader = await streams.open(job, ids.at(-1) ?? 0, turn % 2 === 0 ? streams.first : streams.second);
      await reader.take(1);
      ids.push(reader.ids[0]!);
      reader.close();
    }
    await writing;
    expect(ids).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });

  it('tells every client the same, however many events come at once', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const { first, second } = streams;
    const readers = await Promise.all([first, second, first, second].map((api) => streams.open(job, 0, api)));
    for (let burst = 0; burst < 10; burst++) await streams.emit(job.jobId, ...Array(50).fill('node_completed'));
    await streams.finish(job.jobId);
    await Promise.all(readers.map((reader) => reader.untilEnded(10_000)));
    for (const { ids } of readers) expect(ids).toEqual(Array.from({ length: 502 }, (_, index) => index + 1));
  });

  it('finds events within seconds whose message was lost', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const reader = await streams.open(job);
    await reader.take(1);
    const deafBus = { publish: async () => undefined } as unknown as EventBus;
    const silent = new JobTransactions(streams.first.database, new Ledger(), deafBus);
    await silent.change(job.jobId, async (change) => change.emit('node_completed'));
    await reader.take(2, 7_000);
    expect(reader.ids).toEqual([2]);
    reader.close();
  });

  it('answers 204 after the last event, and streams again after a resume', async () => {
    const job = await submitJob(streams.first.database, { steps });
    await streams.finish(job.jobId);
    expect((await streams.open(job, 2)).status).toBe(204);
    const late = await streams.open(job);
    await late.untilEnded();
    expect(late.received.map(({ event }) => event)).toEqual(['snapshot']);
    await streams.emit(job.jobId, 'job_resumed');
    await streams.first.database.query(`update job set status = 'processing' where id = $1`, [job.jobId]);
    const again = await streams.open(job, 0);
    await again.take(3);
    expect(again.received.map(({ event }) => event)).toEqual(['job_queued', 'job_failed', 'job_resumed']);
    expect(again.ended).toBe(false);
    again.close();
  });

  it.each(['99', '-1', 'x', '1.5', '9'.repeat(30)])('takes an impossible Last-Event-ID (%s) for none', async (id) => {
    const job = await submitJob(streams.first.database, { steps });
    const reader = await streams.open(job, id);
    expect((await reader.take(1))[0]!.event).toBe('snapshot');
    reader.close();
  });

  it('passes progress on without id, five times a streams.second per step at most', async () => {
    const job = await submitJob(streams.first.database, { steps });
    const reader = await streams.open(job);
    await reader.take(1);
    const told = () => reader.received.filter(({ event }) => event === 'node_progress');
    const start = Date.now();
    // However slow the machine is: with each of them passed on it would take a tenth of the time.
    while (told().length < 5) {
      await streams.bus.publish({
        kind: 'progress', userId: job.userId, collectionId: null,
        event: {
          type: 'node_progress', job_id: job.jobId, at: new Date().toISOString(), step_id: '1', progress: 5,
        },
      });
      await delay(10);
    }
    const progress = told();
    expect(progress.length).toBeLessThanOrEqual(1.5 + (5 * (Date.now() - start)) / 1_000);
    expect(progress.every(({ id }) => id === undefined)).toBe(true);
    reader.close();
  });
});
