import { randomUUID } from 'node:crypto';
import { createCollection, reserveCollection } from '#libs/collections/new-collection.js';
import { EMPTY_INSTRUCTION_SET, type InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { AppError } from '#libs/errors/app-error.js';
import type { Caller } from '#libs/identity/caller.js';
import { buildCollection } from '../../test/factories/collection.js';
import { createUser } from '../../test/factories/job-submission.js';
import { countStatements, createSubmitting } from '../../test/factories/submitting.js';
import { createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import type { GenerateEditionsRequest } from './generate-editions.js';

describe('GenerateEditions', () => {
  let db: TestDatabase;
  let submitting: ReturnType<typeof createSubmitting>;
  let caller: Caller;

  beforeAll(async () => {
    db = await createTestDatabase();
    submitting = createSubmitting(db.database);
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    caller = { userId: await createUser(db.database, 100), role: 'user' };
  });

  const echo: InstructionSet = {
    ...EMPTY_INSTRUCTION_SET,
    steps: [{ id: 1, nodeName: 'echo', nodePayload: { value: '{{color}}' } }],
    variables: { color: 'red', size: 1 },
  };
  const draft = async (data: InstructionSet = echo, editions: number | null = null): Promise<string> => {
    const { userId } = caller;
    const reserved = await reserveCollection(db.database, { userId, projectId: null, steps: data.steps.length });
    const collection = buildCollection(userId, { ...reserved, data, metadata: { title: 'Dunes', editions } });
    return (await db.database.transaction((tx) => createCollection(tx, collection))).id;
  };
  const prepare = (id: string, differs: Partial<GenerateEditionsRequest> = {}) =>
    submitting.editions.prepare(caller, id, { variables: {}, workflow_priority: 50, tags: [], ...differs });
  const generate = async (id: string, differs: Partial<GenerateEditionsRequest> = {}) => {
    const prepared = await prepare(id, differs);
    return db.database.transaction((tx) => submitting.editions.commit(tx, prepared));
  };
  const jobOf = async ({ job_id }: { job_id: string }) => {
    const [job] = await db.database.query<{ instruction_set: InstructionSet }>('select * from job where id = $1', [
      job_id,
    ]);
    return job as { instruction_set: InstructionSet };
  };
  /** A collection made by the unified call, of a workflow that costs 0.5 and 0.25 each. */
  const ofWorkflow = async () => {
    const workflow = await createWorkflow(db.database, caller.userId);
    const prepared = await submitting.collections.prepare(caller, {
      title: 'Dunes', workflow_id: workflow.id, variables: { word: 'sand' }, generations: 1, metadata: {}, tags: [],
      options: { workflow_priority: 50, auto_publish: false, generate_preview: true, save_intermediate_outputs: false },
    });
    const receipt = await submitting.collections.commit(prepared);
    return { workflow, id: receipt.collection_id };
  };

  it("generates the set's own number, each with a new hash, priced by the steps", async () => {
    const id = await draft({ ...echo, generations: { ...echo.generations, generations: 3 } });
    const receipt = await generate(id, { tags: ['a'], external_id: 'x' });
    expect(receipt).toMatchObject({
      collection_id: id,
      status: 'pending',
      cost_breakdown: { total_credits: 0.3, per_generation: 0.1, workflow_base_cost: 0 },
    });
    expect(await jobOf(receipt)).toMatchObject({
      job_type: 'collection_generation', collection_id: id, workflow_id: null, generations: 3, tags: ['a'],
      external_id: 'x', name: 'Collection Generation: Dunes',
    });
    const { hashes } = (await jobOf(receipt)).instruction_set.generations;
    expect(new Set(hashes).size).toBe(3);
    expect(await jobOf(await generate(id, { generations: 7 }))).toMatchObject({ generations: 7 });
  });

  it('makes as many as there are custom hashes, and no other number', async () => {
    const hashes = [generateHash(), generateHash()];
    const id = await draft({ ...echo, generations: { hashes, generations: 1, use_custom_hashes: true } });
    expect((await jobOf(await generate(id))).instruction_set.generations).toEqual({
      hashes, generations: 2, use_custom_hashes: true,
    });
    await expect(generate(id, { generations: 3 })).rejects.toMatchObject({
      details: [{ field: 'generations', message: 'Must be 2: the collection has custom hashes' }],
    });
  });

  it('replaces a submitted variable in the job alone', async () => {
    const id = await draft();
    const job = await jobOf(await generate(id, { variables: { color: 'blue' } }));
    expect(job.instruction_set.variables).toEqual({ color: 'blue', size: 1 });
    const [collection] = await db.database.query<{ data: InstructionSet }>(
      'select data from collection where id = $1',
      [id],
    );
    expect(collection?.data.variables).toEqual({ color: 'red', size: 1 });
  });

  it('names all faults at once: no steps, an unknown variable, a workflow it does not use', async () => {
    const id = await draft(EMPTY_INSTRUCTION_SET);
    await expect(generate(id, { variables: { shape: 1 }, workflow_id: randomUUID() })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'data.steps' }, { field: 'workflow_id' }, { field: 'variables.shape' }],
    });
  });

  it("knows no one else's collection", async () => {
    const id = await draft();
    caller = { userId: await createUser(db.database), role: 'user' };
    await expect(prepare(id)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND', status: 404 });
    await expect(prepare(randomUUID())).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
  });

  it('holds what came of a workflow against its form and its price', async () => {
    const { workflow, id } = await ofWorkflow();
    const receipt = await generate(id, {
      variables: { size: '7' },
      generations: 2,
      workflow_id: workflow.id.toUpperCase(),
    });
    expect(receipt.cost_breakdown).toEqual({ total_credits: 1, per_generation: 0.25, workflow_base_cost: 0.5 });
    expect(await jobOf(receipt)).toMatchObject({
      workflow_id: workflow.id,
      workflow_version: 1,
      instruction_set: { variables: { word: 'sand', size: 7 } },
    });
    await expect(prepare(id, { variables: { size: 11, shape: 1, word: null } })).rejects.toMatchObject({
      details: expect.arrayContaining(
        ['variables.size', 'variables.shape', 'variables.word'].map((field) => expect.objectContaining({ field })),
      ),
    });
  });

  it('keeps to the version it was made of when the workflow changes', async () => {
    const { workflow, id } = await ofWorkflow();
    await db.database.query(
      `update workflow set version = 2, data = data || '{"credits": {"per_generation": 50}}' where id = $1`,
      [workflow.id],
    );
    expect((await generate(id)).cost_breakdown.per_generation).toBe(0.25);
  });

  it('never makes more editions than there are, however many ask at once', async () => {
    const id = await draft(echo, 3);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => generate(id).then(() => 'made', (error: AppError) => error.code)),
    );
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'EDITIONS_EXHAUSTED')).toHaveLength(7);
  });

  it('makes a finished edition again although all editions exist', async () => {
    const hashes = [generateHash()];
    const id = await draft({ ...echo, generations: { hashes, generations: 1, use_custom_hashes: true } }, 1);
    const first = await generate(id);
    await db.database.query(`update generation set status = 'completed' where job_id = $1`, [first.job_id]);
    expect((await generate(id)).job_id).not.toBe(first.job_id);
  });

  it('takes few statements', async () => {
    const prepared = await prepare(await draft(echo, 100));
    expect(await countStatements(db.database, (tx) => submitting.editions.commit(tx, prepared))).toBe(5);
  });
});
