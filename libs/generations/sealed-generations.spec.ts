import { randomUUID } from 'node:crypto';
import type { GenerationWorker } from '#apps/worker/generation-worker.js';
import { createCollection, reserveCollection } from '#libs/collections/new-collection.js';
import type { Queryable } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { KeyManagement } from '#libs/encryption/key-management.js';
import type { Claim } from '#libs/engine/generation-store.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { buildCollection } from '../../test/factories/collection.js';
import { buildSubmission, createUser } from '../../test/factories/job-submission.js';
import { testKeys } from '../../test/factories/keys.js';
import { account, generationRows, jobEnds } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { storedTexts } from '../../test/factories/stored-texts.js';
import { createSubmitting } from '../../test/factories/submitting.js';
import { eventually } from '../../test/setup/eventually.js';
import { BrokenClaim, claim, UnreadableClaim } from './claims.js';
import { PostgresGenerationStore } from './postgres-generation-store.js';

const SECRET = 'canary5b1c';
const ECHO: Step = { id: 1, nodeName: 'echo', alias: `${SECRET}-alias`, nodePayload: { value: SECRET } };
const WAIT: Step = { id: 2, nodeName: 'wait', nodePayload: { name: SECRET, poll: 50 } };
const REQUEST = { lane: 'default', worker: 'test', idle: true } as const;

describe('a generation of an encrypted collection', () => {
  let road: Road;
  let worker: GenerationWorker | undefined;

  beforeAll(async () => {
    road = await buildRoad();
  });
  afterEach(async () => {
    await worker?.stop();
    worker = undefined;
    await road.database.query('truncate job cascade');
  });
  afterAll(() => road.close());

  async function submit(steps: Step[], { encrypted = true } = {}) {
    const { database } = road;
    const userId = await createUser(database, 10);
    const { projectId } = await reserveCollection(database, { userId, projectId: null, steps: 0 });
    const id = randomUUID();
    const key = encrypted ? await testKeys(database).make(id, 'encryption_enabled') : null;
    await createCollection(database, buildCollection(userId, { id, projectId, key }));
    const { instructionSet, ...job } = buildSubmission(userId, {
      collectionId: id, seal: key?.seal, lane: 'default', price: { base: 0n, perGeneration: 1_000_000n },
    });
    const submission = { ...job, instructionSet: { ...instructionSet, steps, variables: { word: SECRET } } };
    await database.transaction((tx) => createSubmitting(database).submissions.submit(tx, submission));
    return { jobId: job.id, userId, collectionId: id };
  }
  const found = async () => (await storedTexts(road.database)).filter(({ text }) => text.includes(SECRET));
  const waits = async (jobId: string) => {
    worker = road.worker();
    worker.start();
    await eventually(async () => expect((await generationRows(road.database, jobId))[0]?.status).toBe('waiting'));
  };
  /** `breaks` in a row, each as soon as it may. */
  const breaks = async (store: PostgresGenerationStore, times: number) => {
    for (let attempt = 0; attempt < times; attempt++) {
      await expect(store.claim(REQUEST)).rejects.toThrow(UnreadableClaim);
      await road.database.query(`update generation set wake_at = now(), lease_until = null where status = 'pending'`);
    }
  };
  const take = () => claim(road.database, testKeys(road.database), REQUEST) as Promise<Claim>;

  it('waits and goes on, and nothing of it lies open meanwhile', async () => {
    const { jobId } = await submit([ECHO, WAIT]);
    await waits(jobId);
    expect(await found()).toEqual([]);
    road.outside.answers.set(SECRET, `${SECRET} of the outside`);
    await jobEnds(road.database, jobId, 'completed');
    expect(await found()).toEqual([]);
    road.outside.answers.clear();
  });

  it('is stopped outside when it is cancelled, by what it kept', async () => {
    const { jobId, userId } = await submit([WAIT]);
    await waits(jobId);
    await road.control.cancelJob(userId, jobId);
    expect(await road.cancels.sweep()).toBe(1);
    expect(road.outside.cancelled).toEqual([SECRET]);
    expect(await found()).toEqual([]);
  });

  it('is read as it was from the last checkpoint', async () => {
    const { collectionId } = await submit([ECHO, { ...ECHO, id: 2, alias: 'b' }]);
    const { lease, state } = await take();
    expect(state).toMatchObject({ collectionId, values: { word: SECRET }, instructionSet: { steps: [ECHO, { alias: 'b' }] } });
    const start = { node: 'echo', alias: null, attempt: 1, inputDigest: 'of something' };
    const [attempt] = await road.store.begin(lease, state, [{ ...start, stepId: '1' }]);
    const output = { assets: [], value: { told: SECRET }, traits: [{ trait_type: SECRET, value: 3 }] };
    state.finished.set('1', output);
    await road.store.checkpoint(lease, state, [{ attempt: attempt!, node: 'echo', alias: null, output, logs: [SECRET] }], [
      { ...start, stepId: '2' },
    ]);
    expect(await found()).toEqual([]);
    await road.database.query(`update generation set status = 'pending', lease_until = null, wake_at = now()`);
    const again = await take();
    expect(again.state.finished.get('1')).toEqual(output);
    await expect(road.store.finish(lease, state, [])).rejects.toThrow();
  });

  it('fails with a reason where its key cannot be had, after three tries, and gives its price back', async () => {
    const { jobId, userId } = await submit([ECHO]);
    await road.database.query(`update collection set master_key = 'local:unknown'`);
    await breaks(storeWith(testKeys(road.database)), 3);
    const [generation] = await generationRows(road.database, jobId);
    expect(generation).toMatchObject({ status: 'failed', error: { code: 'ENCRYPTION_KEY_UNAVAILABLE' } });
    expect(await account(road.database, userId)).toMatchObject({ held: 0 });
    expect(await found()).toEqual([]);
  });

  it('fails as soon where its key does not come: it is given up before the lease has run out', async () => {
    const { jobId } = await submit([ECHO]);
    const hanging = new (class extends KeyManagement {
      masterKey = 'hanging';
      wrap = () => new Promise<never>(() => undefined);
      unwrap = this.wrap;
    })();
    const began = Date.now();
    await breaks(storeWith(new CollectionKeys(road.database, hanging)), 1);
    expect(Date.now() - began).toBeLessThan(3_500);
    expect(await counted(jobId)).toEqual({ status: 'pending', breaks: 1 });
  });

  it('counts a break of one that was too late as well', async () => {
    const { jobId } = await submit([ECHO]);
    await road.database.query(`update collection set master_key = 'local:unknown'`);
    const keys = testKeys(road.database);
    const late: Queryable = {
      query: async (...call) => {
        await road.database.query('update generation set lease = lease + 1');
        return road.database.query(...call);
      },
    };
    await breaks(storeWith(new CollectionKeys(late, null)), 1);
    expect(await counted(jobId)).toEqual({ status: 'pending', breaks: 1 });
    await breaks(storeWith(keys), 2);
    expect(await counted(jobId)).toMatchObject({ status: 'failed' });
  });

  it('cannot be resumed when its collection was deleted, and ends where it was open', async () => {
    const { jobId, userId, collectionId } = await submit([ECHO]);
    await road.control.cancelJob(userId, jobId);
    await road.database.query('delete from collection where id = $1', [collectionId]);
    await expect(road.control.resumeJob(userId, jobId)).rejects.toMatchObject({ code: 'INVALID_JOB_STATUS', status: 409 });
    await expect(road.control.resumeGeneration(userId, jobId, 0)).rejects.toMatchObject({
      code: 'INVALID_GENERATION_STATUS', status: 409,
    });
    expect(await account(road.database, userId)).toMatchObject({ held: 0 });

    const open = await submit([ECHO]);
    await road.database.query('update job set collection_id = null where id = $1', [open.jobId]);
    await breaks(storeWith(testKeys(road.database)), 3);
    expect(await counted(open.jobId)).toEqual({ status: 'failed', breaks: 3 });
    expect(await account(road.database, open.userId)).toMatchObject({ held: 0 });
  });

  it('is not claimed for ever, encrypted or not, when what it refers to cannot be looked up', async () => {
    const { jobId, userId } = await submit([ECHO], { encrypted: false });
    await road.database.query(`update job set instruction_set = instruction_set - 'steps'`);
    const store = storeWith(testKeys(road.database));
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(store.claim(REQUEST)).rejects.toThrow(BrokenClaim);
      await road.database.query(`update generation set wake_at = now(), lease_until = null where status = 'pending'`);
    }
    expect(await counted(jobId)).toEqual({ status: 'failed', breaks: 3 });
    expect(await account(road.database, userId)).toMatchObject({ held: 0 });
  });

  it('is the only kind that asks for keys', async () => {
    await submit([ECHO], { encrypted: false });
    const asked: Queryable = { query: () => Promise.reject(new Error('a key was asked for')) };
    const store = storeWith(new CollectionKeys(asked, null));
    const { lease, state } = (await store.claim(REQUEST))!;
    const [attempt] = await store.begin(lease, state, [{ stepId: '1', node: 'echo', alias: null, attempt: 1, inputDigest: null }]);
    const output = { assets: [], value: SECRET, traits: [] };
    state.finished.set('1', output);
    await store.finish(lease, state, [{ attempt: attempt!, node: 'echo', alias: null, output, logs: [] }]);
    expect((await found()).length).toBeGreaterThan(0);
  });

  const counted = async (jobId: string) =>
    (await road.database.query('select status, breaks from generation where job_id = $1', [jobId]))[0];
  const storeWith = (keys: CollectionKeys) => {
    const { jobs, registry } = road;
    return new PostgresGenerationStore(road.database, jobs, registry, road.queue, keys, 60_000);
  };
});
