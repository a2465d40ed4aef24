import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createCollection } from '../../../test/factories/asset.js';
import { submitJob } from '../../../test/factories/job.js';
import { BACKENDS, buildStreams, type Streams } from '../../../test/factories/streams.js';
import { eventually } from '../../../test/setup/eventually.js';
import { EventReader } from '../../../test/setup/event-source.js';

const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];

describe.each(BACKENDS)('the event stream of all jobs, with %s', (_name, variables) => {
  let streams: Streams;

  beforeAll(async () => {
    streams = await buildStreams(variables);
  });
  afterAll(() => streams.close());

  const openAll = (userId: string, lastEventId?: string, api = streams.first) =>
    EventReader.open(`${api.url}/events`, {
      ...api.as(userId),
      ...(lastEventId && { 'last-event-id': lastEventId }),
    });
  const openCollection = (userId: string, id: string) =>
    EventReader.open(`${streams.first.url}/collections/${id}/events`, streams.first.as(userId));
  const told = (reader: EventReader) =>
    reader.received
      .filter(({ event }) => event !== 'snapshot')
      .map(({ data }) => `${data.job_id}:${data.seq}`);

  it('tells each event of each job once, in the order of each job, across cuts', async () => {
    const userId = randomUUID();
    const jobs = await Promise.all([1, 2, 3].map(() => submitJob(streams.first.database, { steps, userId })));
    const start = await openAll(userId);
    const [snapshot] = await start.take(1);
    const shown = snapshot!.data.jobs!.map(({ id }) => id);
    expect(shown.sort()).toEqual(jobs.map(({ jobId }) => jobId).sort());
    start.close();
    const writing = Promise.all(
      jobs.map(async ({ jobId }) => {
        for (let seq = 2; seq <= 15; seq++) await streams.emit(jobId, 'node_completed');
      }),
    );
    const all: string[] = [];
    let last = snapshot!.id;
    // Another test's open transaction makes what the snapshot shows count as not settled: it may come once more.
    const isNew = ({ data }: { data: { seq?: number } }) => data.seq !== 1;
    for (let turn = 0; all.length < 3 * 14; turn++) {
      const reader = await openAll(userId, last, turn % 2 === 0 ? streams.first : streams.second);
      await reader.take(1);
      const received = [...reader.received];
      reader.close();
      all.push(...received.filter(isNew).map(({ data }) => `${data.job_id}:${data.seq}`));
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
    const slow = await submitJob(streams.first.database, { steps, userId });
    const quick = await submitJob(streams.first.database, { steps, userId });
    const reader = await openAll(userId);
    await reader.take(1);
    await streams.transactions.change(slow.jobId, async (change) => {
      change.emit('node_started');
      await change.tx.query('select pg_current_xact_id()');
      await streams.emit(quick.jobId, 'node_started');
      await delay(300);
    });
    await streams.emit(quick.jobId, 'node_completed');
    await eventually(() => expect(told(reader)).toHaveLength(3));
    expect(told(reader).sort()).toEqual([`${slow.jobId}:2`, `${quick.jobId}:2`, `${quick.jobId}:3`].sort());
    reader.close();
  });

  it('tells nothing of other users', async () => {
    const mine = await submitJob(streams.first.database, { steps });
    const others = await submitJob(streams.first.database, { steps });
    const reader = await openAll(mine.userId);
    await reader.take(1);
    await streams.emit(others.jobId, 'node_started');
    await streams.emit(mine.jobId, 'node_started');
    await reader.take(2);
    expect(told(reader)).toEqual([`${mine.jobId}:2`]);
    reader.close();
  });

  it('of a collection tells of its jobs only', async () => {
    const userId = randomUUID();
    const [inside, outside] = [
      await submitJob(streams.first.database, { steps, userId }),
      await submitJob(streams.first.database, { steps, userId }),
    ];
    const collectionId = await createCollection(streams.first.database, userId);
    await streams.first.database.query('update job set collection_id = $2 where id = $1', [
      inside.jobId, collectionId,
    ]);
    const reader = await openCollection(userId, collectionId);
    const [snapshot] = await reader.take(1);
    expect(snapshot!.data.jobs).toMatchObject([{ id: inside.jobId }]);
    await streams.emit(outside.jobId, 'node_started');
    await streams.emit(inside.jobId, 'node_started');
    await reader.take(2);
    expect(told(reader)).toEqual([`${inside.jobId}:2`]);
    reader.close();
  });

  it.each(['x', '1', 'bm9uc2Vuc2U', 'MS54LjI'])('takes an impossible Last-Event-ID (%s) for none', async (id) => {
    const reader = await openAll(randomUUID(), id);
    expect((await reader.take(1))[0]!.event).toBe('snapshot');
    reader.close();
  });
});
