import type { JobEvent } from '#libs/events/job-event.js';
import { EventReader, type ReceivedEvent } from '../setup/event-source.js';
import { eventually } from '../setup/eventually.js';
import type { Client, Receipt } from './client.js';
import { busyStep, formWorkflow, quickStep } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';

const STEPS = [
  busyStep('a', 2),
  busyStep('b', 2, { a: { $ref: 'a' } }),
  quickStep('c', { b: { $ref: 'b' } }),
];
const EDITIONS = 3;
/** Of the job: queued, started, completed. Of each edition: started, three steps twice, completed. */
const EVENTS = 3 + EDITIONS * 8;
const FIRST_EVENT_MS = 20_000;

const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const isRecorded = ({ id, event }: ReceivedEvent) => id !== undefined && event !== 'snapshot';

describeWithEachBackend('streams of events, over two API processes', (variables) => {
  let platen: PlatenProcesses;
  let apis: [Api, Api];
  let artist: Client;
  let workflowId: string;

  beforeAll(async () => {
    platen = await PlatenProcesses.prepare(variables);
    const [one, other] = await Promise.all([platen.api(), platen.api(), platen.worker()]);
    apis = [one, other];
    artist = await platen.richClient(apis[0], 100);
    const workflow = formWorkflow('steps', { base: 0, per_generation: 0.1 }, STEPS);
    workflowId = (await artist.create<{ id: string }>('/workflows', workflow)).id;
  });
  afterAll(() => platen.close());

  function submit(): Promise<Receipt> {
    const request = { title: 'Steps', workflow_id: workflowId, generations: EDITIONS };
    return artist.create('/api/collections/generate', request);
  }

  /** The next recorded event after `lastEventId`, by a connection of its own; null where that is a 204. */
  async function nextEvent(client: Client, path: string, lastEventId: string): Promise<ReceivedEvent | null> {
    const reader = await client.events(path, lastEventId);
    if (reader.status === 204) return null;
    await eventually(() => expect(reader.received.some(isRecorded)).toBe(true), FIRST_EVENT_MS);
    reader.close();
    return reader.received.find(isRecorded)!;
  }

  /** The id that a stream which begins now resumes from. */
  async function positionOf(path: string): Promise<string> {
    const reader = await artist.events(path);
    const [snapshot] = await reader.take(1);
    reader.close();
    return snapshot!.id!;
  }

  /** Sequence numbers by job, of a stream cut and resumed at every event until these jobs have ended. */
  async function followByTurns(path: string, start: string, jobIds: string[]) {
    const seqs: Record<string, number[]> = {};
    let position = start;
    for (let turn = 0, open = jobIds.length; open > 0; turn++) {
      const { id, event, data } = (await nextEvent(artist.at(apis[turn % 2]!), path, position))!;
      position = id!;
      // What was not settled yet when the position was taken comes again: the end of an earlier job.
      if (!jobIds.includes(data.job_id!)) continue;
      (seqs[data.job_id!] ??= []).push(data.seq!);
      if (event === 'job_completed') open -= 1;
    }
    return seqs;
  }

  it('cut and resumed at every event, by turns on either process: 1, 2, 3 … and then 204', async () => {
    const { job_id: jobId } = await submit();
    const ids: number[] = [];
    for (let turn = 0; ; turn++) {
      const client = artist.at(apis[turn % 2]!);
      const event = await nextEvent(client, `/jobs/${jobId}/events`, String(ids.at(-1) ?? 0));
      if (!event) break;
      ids.push(Number(event.id));
    }
    expect(ids).toEqual(oneTo(EVENTS));
    const history = await artist.list<JobEvent>(`/jobs/${jobId}/history`, 7);
    expect(history.map(({ seq }) => seq)).toEqual(ids);
  });

  it('begin with a snapshot, tell every event once, and end by themselves after the last', async () => {
    const { job_id: jobId } = await submit();
    const readers = await Promise.all(apis.map((api) => artist.at(api).events(`/jobs/${jobId}/events`)));
    await Promise.all(readers.map((reader) => reader.untilEnded(20_000)));
    for (const { received, ids } of readers) {
      expect(received[0]).toMatchObject({ event: 'snapshot', data: { id: jobId } });
      expect(ids).toEqual(oneTo(EVENTS).slice(Number(received[0]!.id)));
      expect(received.at(-1)).toMatchObject({ event: 'job_completed' });
    }
  });

  it('outlive their API process: a restart costs a reconnect, and no event', async () => {
    const { job_id: jobId } = await submit();
    const before = await artist.at(apis[1]).events(`/jobs/${jobId}/events`, 0);
    await eventually(() => expect(before.ids.length).toBeGreaterThan(5), FIRST_EVENT_MS);
    expect(await apis[1].program.end('SIGTERM')).toBe(0);
    await before.untilEnded();
    apis[1] = await platen.api();
    const after = await artist.at(apis[1]).events(`/jobs/${jobId}/events`, before.ids.at(-1));
    await after.untilEnded(20_000);
    expect([...before.ids, ...after.ids]).toEqual(oneTo(EVENTS));
  });

  it('take a stream token in place of headers: at any process, repeatedly, for that job only', async () => {
    const [{ job_id: jobId }, other] = [await submit(), await submit()];
    const { url } = await artist.create<{ url: string }>(`/jobs/${jobId}/stream-token`, {});
    const open = (api: Api, path: string, headers = {}) =>
      EventReader.open(new URL(path, api.url).href, headers);
    const first = await open(apis[1], url);
    await first.take(1, FIRST_EVENT_MS);
    first.close();
    const again = await open(apis[0], url, { 'last-event-id': '0' });
    await again.untilEnded(20_000);
    expect(again.ids).toEqual(oneTo(EVENTS));
    expect((await open(apis[0], url.replace(jobId, other.job_id))).status).toBe(401);
    expect((await open(apis[0], `/jobs/${jobId}/events`)).status).toBe(401);
    await artist.ended(other.job_id);
  });

  it('of a collection and of a user carry every job whole, cut and resumed at every event', async () => {
    const { collection_id: collectionId, job_id: firstJobId } = await submit();
    await artist.ended(firstJobId);
    const paths = [`/collections/${collectionId}/events`, '/events'];
    const [ofCollection, ofUser] = await Promise.all(paths.map(positionOf));
    const more = () => artist.create<Receipt>(`/collections/${collectionId}/generations`, {});
    const receipts = await Promise.all([more(), more(), submit()]);
    const jobIds = receipts.map(({ job_id: jobId }) => jobId);
    const whole = (ids: string[]) => Object.fromEntries(ids.map((id) => [id, oneTo(EVENTS)]));
    const own = jobIds.slice(0, 2);
    expect(await followByTurns(paths[0]!, ofCollection!, own)).toEqual(whole(own));
    expect(await followByTurns(paths[1]!, ofUser!, jobIds)).toEqual(whole(jobIds));
  });
});
