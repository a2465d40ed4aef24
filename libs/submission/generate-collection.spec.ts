import { randomUUID } from 'node:crypto';
import { Projects } from '#libs/collections/projects.js';
import { reconcile } from '#libs/credits/reconcile.js';
import type { AppError } from '#libs/errors/app-error.js';
import type { Caller } from '#libs/identity/caller.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { createUser } from '../../test/factories/job-submission.js';
import { createSubmitting } from '../../test/factories/submitting.js';
import { buildWorkflow, createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import type { GenerateCollectionRequest } from './generate-collection.js';

describe('GenerateCollection', () => {
  let db: TestDatabase;
  let submitting: ReturnType<typeof createSubmitting>;
  let caller: Caller;
  let workflowId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    submitting = createSubmitting(db.database);
    workflowId = (await createWorkflow(db.database, await createUser(db.database))).id;
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    caller = { userId: await createUser(db.database, 100), role: 'user' };
  });

  const request = (differs: Partial<GenerateCollectionRequest> = {}): GenerateCollectionRequest => ({
    title: 'Dunes',
    workflow_id: workflowId,
    variables: { word: 'sand' },
    generations: 2,
    metadata: {},
    options: { workflow_priority: 50, auto_publish: false, generate_preview: true, save_intermediate_outputs: false },
    tags: [],
    ...differs,
  });
  const prepare = (differs: Partial<GenerateCollectionRequest> = {}, who = caller) =>
    submitting.collections.prepare(who, request(differs));
  const submit = async (differs: Partial<GenerateCollectionRequest> = {}, who = caller) => {
    return submitting.collections.commit(await prepare(differs, who));
  };
  const rows = <Row = Record<string, unknown>>(sql: string, id: string) => db.database.query<Row>(sql, [id]);

  it('answers with where everything is and what it costs', async () => {
    const receipt = await submit({ generations: 4 });
    const { collection_id, job_id } = receipt;
    const [{ id: projectId } = { id: '' }] = await new Projects(db.database).list(caller.userId, 1, null);
    expect(receipt).toEqual({
      collection_id,
      job_id,
      project_id: projectId,
      status: 'pending',
      estimated_duration: expect.any(Number),
      cost_breakdown: { total_credits: 1.5, per_generation: 0.25, workflow_base_cost: 0.5 },
      urls: {
        collection_url: `/collections/${collection_id}/public`,
        job_status_url: `/jobs/${job_id}`,
        job_events_url: `/jobs/${job_id}/events`,
      },
    });
    expect(receipt.estimated_duration).toBeGreaterThan(0);
  });

  it('writes it all in one statement', async () => {
    const prepared = await prepare();
    const statements = jest.spyOn(db.database, 'query');
    await submitting.collections.commit(prepared);
    expect(statements).toHaveBeenCalledTimes(1);
    statements.mockRestore();
  });

  it('gives the job a set of its own whose steps are the component rows, references included', async () => {
    const { collection_id, job_id } = await submit();
    const [collection] = await rows<{ data: InstructionSet }>(
      'select data from collection where id = $1',
      collection_id,
    );
    const [job] = await rows<{ instruction_set: InstructionSet }>('select * from job where id = $1', job_id);
    const components = await rows<{ id: string }>(
      'select id from component where collection_id = $1 order by id',
      collection_id,
    );
    const [first, second] = components.map(({ id }) => Number(id));
    expect(job?.instruction_set).toEqual(collection?.data);
    expect(job?.instruction_set.steps).toEqual([
      { id: first, fromId: 'first', nodeName: 'echo', nodePayload: { value: '{{word}} {{size}}' } },
      {
        id: second,
        fromId: 'second',
        nodeName: 'echo',
        nodePayload: { value: { $ref: first }, text: `of {{$ref:${first}}}` },
      },
    ]);
    expect(job?.instruction_set.variables).toEqual({ word: 'sand', size: 3 });
    const generations = await rows<{ hash: string }>(
      'select hash, index from generation where job_id = $1 order by index',
      job_id,
    );
    expect(generations.map(({ hash }) => hash)).toEqual(job?.instruction_set.generations.hashes);
  });

  it('keeps what the request says of the collection and the job', async () => {
    const { collection_id, job_id } = await submit({
      description: 'Of sand',
      metadata: { editions: 9, price: 0.1, blockchain: 'BASE' },
      options: { workflow_priority: 80, auto_publish: true, generate_preview: false, save_intermediate_outputs: true },
      tags: ['a', 'b'],
      external_id: 'order-1',
    });
    expect(await rows('select * from collection where id = $1', collection_id)).toMatchObject([
      { title: 'Dunes', description: 'Of sand', editions: 9, price: '0.1', blockchain: 'BASE', auto_publish: true },
    ]);
    expect(await rows('select * from job where id = $1', job_id)).toMatchObject([
      {
        name: 'Generate Collection: Dunes', job_type: 'collection_auto_generation', status: 'pending', priority: 80,
        workflow_id: workflowId, workflow_version: 1, tags: ['a', 'b'], external_id: 'order-1', base_price: '500000',
        options: { auto_publish: true, generate_preview: false, save_intermediate_outputs: true }, collection_id, seq: '1', generations: 2,
      },
    ]);
    expect(await rows('select face, generations from usage_entry where job_id = $1', job_id)).toEqual([
      { face: 'collections', generations: 2 },
    ]);
  });

  it('names every fault of variables and number at once, and writes nothing', async () => {
    await expect(submit({ variables: { size: 11, shape: 'round' }, generations: 6 })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: expect.arrayContaining(
        ['variables.size', 'variables.shape', 'variables.word', 'generations'].map((field) =>
          expect.objectContaining({ field }),
        ),
      ),
    });
    expect(await rows('select 1 from collection where user_id = $1', caller.userId)).toEqual([]);
  });

  it('adds what the workflow has against a body that is faulty itself', async () => {
    const fields = async (body: Parameters<typeof submitting.collections.furtherFaults>[1]) =>
      (await submitting.collections.furtherFaults(caller, body)).map(({ field }) => field);
    expect(await fields({ workflow_id: workflowId, variables: { size: 0, word: 'x' }, generations: 6 })).toEqual([
      'variables.size', 'generations',
    ]);
    expect(await fields({ workflow_id: randomUUID(), variables: {} })).toEqual([]);
    expect(await fields({ variables: {} })).toEqual([]);
  });

  it("knows no one else's private workflow, and executes only what can be", async () => {
    const author = await createUser(db.database);
    const hidden = await createWorkflow(db.database, author, { visibility: 'private' });
    await expect(prepare({ workflow_id: hidden.id })).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
    await expect(prepare({ workflow_id: hidden.id }, { userId: author, role: 'user' })).resolves.toBeDefined();
    for (const differs of [{ type: 'basic' as const }, { output_mime_type: null }]) {
      const { id } = await createWorkflow(db.database, author, differs);
      await expect(prepare({ workflow_id: id })).rejects.toMatchObject({
        code: 'WORKFLOW_NOT_EXECUTABLE',
        status: 400,
      });
    }
  });

  it("knows no one else's project, and makes no more than the editions it allows", async () => {
    const theirs = await new Projects(db.database).create(db.database, await createUser(db.database), 'Theirs');
    await expect(prepare({ project_id: theirs.id })).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND', status: 404 });
    await expect(prepare({ metadata: { editions: 1 } })).rejects.toMatchObject({ code: 'EDITIONS_EXHAUSTED' });
  });

  it('lets one of 50 at once through when there is credit for one, and leaves nothing of the others', async () => {
    const poor: Caller = { userId: await createUser(db.database, 1), role: 'user' };
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        submit({}, poor).then(
          () => 'accepted',
          (error: AppError) => `${error.status} ${error.code}`,
        ),
      ),
    );
    expect(outcomes.sort()).toEqual([...Array.from({ length: 49 }, () => '402 INSUFFICIENT_CREDITS'), 'accepted']);
    for (const table of ['collection', 'job', 'project']) {
      expect(await rows(`select 1 from ${table} where user_id = $1`, poor.userId)).toHaveLength(1);
    }
    expect(await rows('select balance, held from account where user_id = $1', poor.userId)).toEqual([
      { balance: '1000000', held: '1000000' },
    ]);
    expect((await reconcile(db.database)).drift).toEqual([]);
  });

  it('makes one default project for 20 first submissions at once', async () => {
    const receipts = await Promise.all(Array.from({ length: 20 }, () => submit()));
    expect(new Set(receipts.map(({ project_id }) => project_id)).size).toBe(1);
    expect(await new Projects(db.database).list(caller.userId, 10, null)).toHaveLength(1);
  });

  it('holds a free workflow at nothing, and has it run all the same', async () => {
    const free = await createWorkflow(db.database, caller.userId, {
      data: { ...buildWorkflow().data, credits: null, pipeline: { steps: [] } },
    });
    const penniless: Caller = { userId: await createUser(db.database), role: 'user' };
    const { cost_breakdown } = await submit({ workflow_id: free.id }, penniless);
    expect(cost_breakdown.total_credits).toBe(0);
  });
});
