import { randomUUID } from 'node:crypto';
import type { Lease } from '#libs/engine/generation-store.js';
import { submitJob } from '../../test/factories/job.js';
import { generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';

describe('a delivery to a step that waits', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
    road.worker().start();
  });
  afterAll(() => road.close());

  const submit = (nodePayload = {}) =>
    road.submit({ steps: [{ id: 1, nodeName: 'deliver', nodePayload }], lane: 'provider' });
  const attempts = (jobId: string) =>
    road.database.query<{ token: string; status: string }>(
      `select s.token, s.status from step_run s join generation g on g.id = s.generation_id
        where g.job_id = $1 order by s.attempt`,
      [jobId],
    );
  const deliver = (token: string, body: string, id: string = token) =>
    road.inbox.deliver({ provider: 'test', id, token, body });

  /** The token of the job's newest attempt, once it has that status. */
  async function reached(jobId: string, status: string): Promise<string> {
    const newest = async () => (await attempts(jobId)).at(-1);
    await eventually(async () => expect((await newest())?.status).toBe(status));
    return (await newest())!.token;
  }

  it('wakes it, once', async () => {
    const { jobId } = await submit();
    const token = await reached(jobId, 'waiting');
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
    const both = await Promise.all([deliver(token, 'here'), deliver(token, 'here')]);
    expect(both.toSorted()).toEqual([false, true]);
    await jobEnds(road.database, jobId, 'completed');
    expect((await stepRuns(road.database, jobId))[0]?.output.value).toBe('here');
  });

  it('is refused when nobody waits for it, and leaves nothing', async () => {
    const { jobId, userId } = await submit();
    const token = await reached(jobId, 'waiting');
    await road.control.cancelJob(userId, jobId);
    expect(await deliver(token, 'late')).toBe(false);
    const stray = randomUUID();
    expect(await deliver(stray, 'stray')).toBe(false);
    expect(await road.database.query('select from webhook_inbox where step_token = any($1)', [[token, stray]])).toEqual([]);
  });

  it('is not missed when it comes before the step waits', async () => {
    const { jobId } = await submit({ ms: 4_000 });
    // The wake-up is heard of with the renewal of the lease, while the node still runs.
    await deliver(await reached(jobId, 'running'), 'early');
    await jobEnds(road.database, jobId, 'completed');
    expect((await stepRuns(road.database, jobId))[0]?.output.value).toBe('early');
  });
});

describe('a delivery to an attempt that was lost', () => {
  let road: Road;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterAll(() => road.close());

  it.each<[how: string, lose: (lease: Lease) => Promise<unknown>]>([
    ['its worker died', async () => {
      await road.database.query("update generation set lease_until = now() - interval '1 second'");
      await road.reconciler.sweep();
    }],
    ['its worker gave it back', (lease) => road.store.handBack(lease)],
  ])('is found by the one that follows when %s', async (_how, lose) => {
    const { jobId } = await submitJob(road.database, {
      steps: [{ id: 1, nodeName: 'deliver', nodePayload: {} }], lane: 'provider',
    });
    const { lease, state } = (await claim(road.database, testKeys(road.database), { lane: 'provider', worker: 'test', idle: true }))!;
    const start = { stepId: '1', node: 'deliver', alias: null, attempt: 1, inputDigest: null };
    const [attempt] = await road.store.begin(lease, state, [start]);
    await lose(lease);
    const { token } = attempt!;
    expect(await road.inbox.deliver({ provider: 'test', id: token, token, body: 'to the lost one' })).toBe(true);
    const worker = road.worker();
    worker.start();
    await jobEnds(road.database, jobId, 'completed');
    await worker.stop();
    // The outside was not asked again.
    expect(road.outside.calls).toEqual([]);
    expect(await road.inbox.deliver({ provider: 'test', id: 'again', token, body: 'late' })).toBe(false);
  });

  it('is found though the attempt that followed was lost, too', async () => {
    const { jobId } = await submitJob(road.database, {
      steps: [{ id: 1, nodeName: 'deliver', nodePayload: {} }], lane: 'provider',
    });
    const tokens: string[] = [];
    for (const attempt of [1, 2]) {
      const { lease, state } = (await claim(road.database, testKeys(road.database), { lane: 'provider', worker: 'test', idle: true }))!;
      expect(state.records.get('1')?.lostTokens ?? []).toEqual(tokens);
      const [begun] = await road.store.begin(lease, state, [{ stepId: '1', node: 'deliver', alias: null, attempt, inputDigest: null }]);
      tokens.push(begun!.token);
      await road.store.handBack(lease);
    }
    const [token] = tokens as [string];
    expect(await road.inbox.deliver({ provider: 'test', id: token, token, body: 'to the first' })).toBe(true);
    const worker = road.worker();
    worker.start();
    await jobEnds(road.database, jobId, 'completed');
    await worker.stop();
    expect(road.outside.calls).toEqual([]);
  });
});
