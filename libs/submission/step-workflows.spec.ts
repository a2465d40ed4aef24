import { randomUUID } from 'node:crypto';
import type { Caller } from '#libs/identity/caller.js';
import type { InstructionSet, Json, Step } from '#libs/instruction-set/instruction-set.js';
import type { StoredWorkflow } from '#libs/workflows/stored-workflow.js';
import { createUser } from '../../test/factories/job-submission.js';
import { addOneStepKind } from '../../test/factories/one-step-kind.js';
import { createSubmitting } from '../../test/factories/submitting.js';
import { buildWorkflow, createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';

const FORM = { fields: [{ id: 'word', required: true }, { id: 'size', type: 'slider' as const, default: 3 }] };
const OPTIONS = { workflow_priority: 50, auto_publish: false, generate_preview: true, save_intermediate_outputs: false };

describe('stored workflows as steps', () => {
  let db: TestDatabase;
  let submitting: ReturnType<typeof createSubmitting>;
  let author: Caller;
  let artist: Caller;
  let shout: StoredWorkflow;

  beforeAll(async () => {
    addOneStepKind('echo');
    db = await createTestDatabase();
    submitting = createSubmitting(db.database);
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    author = { userId: await createUser(db.database, 100), role: 'user' };
    artist = { userId: await createUser(db.database, 100), role: 'user' };
    shout = await store({ type: 'one_step', visibility: 'private', data: { form: FORM, credits: { base: 0.5, per_generation: 2 } } });
  });

  const store = (differs: object) => createWorkflow(db.database, author.userId, differs);
  const setOf = async (jobId: string) =>
    (await db.database.query<{ instruction_set: InstructionSet }>('select * from job where id = $1', [jobId]))[0]!
      .instruction_set;
  const generate = async (workflow: StoredWorkflow, who: Caller, variables: object = { word: 'sand' }) =>
    submitting.collections.commit(
      await submitting.collections.prepare(who, {
        title: 'Dunes', workflow_id: workflow.id, variables: variables as never, generations: 2, metadata: {},
        options: OPTIONS, tags: [],
      }),
    );

  it('are the one step of what is made of them, with their fields as its payload, and a version that stays', async () => {
    const receipt = await generate(shout, author);
    const set = await setOf(receipt.job_id);
    expect(set.steps).toEqual([
      {
        id: expect.any(Number), fromId: 1, nodeName: shout.name, alias: shout.label,
        nodePayload: { word: '{{word}}', size: '{{size}}' },
      },
    ]);
    expect(set.variables).toEqual({ word: 'sand', size: 3 });
    expect(set.workflows).toEqual({ [shout.name]: { id: shout.id, version: 1 } });
    const [collection] = await db.database.query<{ data: object }>('select data from collection where id = $1', [
      receipt.collection_id,
    ]);
    expect(collection?.data).toEqual({ ...set, workflows: undefined });
  });

  it("reach their author's workflows in whoever's hands, and cost what those ask", async () => {
    const steps = [
      { id: 'a', nodeName: shout.name, nodePayload: { word: '{{word}}' } },
      { id: 'b', nodeName: 'echo', nodePayload: { value: { $ref: 'a' } } },
    ];
    const data = { form: FORM, credits: { per_generation: 0.01 }, pipeline: { steps } };
    const poster = await store({ data });
    const receipt = await generate(poster, artist);
    // 0.5 + 2 of the workflow inside, 0.1 of the echo: an author cannot give another's work away.
    expect(receipt.cost_breakdown).toEqual({ total_credits: 5.2, per_generation: 2.6, workflow_base_cost: 0 });
    expect((await setOf(receipt.job_id)).workflows).toEqual({ [shout.name]: { id: shout.id, version: 1 } });
  });

  it('are unknown to a stranger who writes a set by hand', async () => {
    const steps = [{ id: 'a', nodeName: shout.name, nodePayload: { word: 'x' } }];
    const workflow = buildWorkflow({ data: { pipeline: { steps } } });
    const theirs = await createWorkflow(db.database, artist.userId, workflow);
    const { registry } = await submitting.stepWorkflows.find(steps, artist);
    expect(registry.find(shout.name)).toBeUndefined();
    expect((await submitting.stepWorkflows.find(steps, author)).registry.find(shout.name)).toBeDefined();
    expect(theirs.version).toBe(1);
  });

  it('can be tried: one generation of no collection, paid like any, with the variables of their test', async () => {
    const workflow = await store({ data: { ...buildWorkflow().data, test: { word: 'try', size: 4 } } });
    await expect(submitting.trial.prepare(artist, workflow.id, { variables: null })).rejects.toMatchObject({
      details: [{ field: 'variables.word' }],
    });
    const prepared = await submitting.trial.prepare(author, workflow.id, { variables: null });
    const receipt = await db.database.transaction((tx) => submitting.trial.commit(tx, prepared));
    expect(receipt.cost_breakdown).toEqual({ total_credits: 0.75, per_generation: 0.25, workflow_base_cost: 0.5 });
    const [job] = await db.database.query('select * from job where id = $1', [receipt.job_id]);
    expect(job).toMatchObject({ collection_id: null, job_type: 'workflow_test', workflow_id: workflow.id, generations: 1 });
    expect(await setOf(receipt.job_id)).toMatchObject({
      variables: { word: 'try', size: 4 },
      steps: [
        { id: 1, fromId: 'first' },
        { id: 2, fromId: 'second', nodePayload: { value: { $ref: 1 }, text: 'of {{$ref:1}}' } },
      ],
    });
    await expect(submitting.trial.prepare(artist, randomUUID(), { variables: null })).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
    await expect(submitting.trial.prepare(artist, workflow.id, { variables: { size: 99 } })).rejects.toMatchObject({
      details: [{ field: 'variables.word' }, { field: 'variables.size' }],
    });
  });

  it('are not run alone by whom only a workflow around them lets in', async () => {
    const steps = [{ id: 'a', nodeName: shout.name, nodePayload: { word: '{{word}}' } }];
    const around = await store({ data: { form: FORM, credits: { per_generation: 9 }, pipeline: { steps } } });
    const more = async (who: Caller) => {
      const { collection_id } = await generate(around, who);
      const request = { variables: {}, workflow_priority: 50, tags: [], workflow_id: shout.id, generations: 1 };
      return submitting.editions.prepare(who, collection_id, request);
    };
    await expect(more(artist)).rejects.toMatchObject({ details: [{ field: 'workflow_id' }] });
    expect((await more(author)).job).toMatchObject({ breakdown: { per_generation: 2.5 } });
  });

  it('that a script prices are refused where it could not know what it prices', async () => {
    const credits = 'function computeCost({ size }) { return { cost: size }; }';
    const scripted = await store({ type: 'one_step', data: { form: FORM, credits } });
    const steps = (size: Json): Step[] => [
      { id: 'a', nodeName: 'echo', nodePayload: { value: 9 } },
      { id: 'b', nodeName: scripted.name, nodePayload: { word: 'x', size } },
    ];
    const nodes = await submitting.stepWorkflows.find(steps(1), artist);
    const price = (size: Json) => submitting.estimates.priceSet({ steps: steps(size), variables: { zero: 0 } }, nodes);
    await expect(price({ $ref: 'a' })).rejects.toMatchObject({ details: [{ field: 'data.steps[1].nodePayload.size' }] });
    await expect(price('{{unknown}}')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it("let another's workflow have the files that the submitter names, and no others", async () => {
    const form = { fields: [{ id: 'picture', type: 'image_loader' as const, default: '4711' }] };
    const steps = [{ id: 'a', nodeName: 'echo', nodePayload: { value: '{{picture}}' } }];
    const painter = await store({ data: { form, pipeline: { steps, variables: { other: '4712' } } } });
    const filesOf = async (jobId: string) =>
      (await db.database.query<{ files: string[] }>(`select options -> 'files' as files from job where id = $1`, [jobId]))[0]!.files;
    const given = await generate(painter, artist, { picture: '9' });
    expect(await filesOf(given.job_id)).toEqual(['9']);
    expect(await filesOf((await generate(painter, artist, {})).job_id)).toEqual([]);
    expect(await filesOf((await generate(painter, author, {})).job_id)).toBeNull();
    const again = async (id: string, variables: object) => {
      const request = { variables: variables as never, workflow_priority: 50, tags: [], generations: 1 };
      return (await submitting.editions.prepare(artist, id, request)).job.options.files;
    };
    expect(await again(given.collection_id, {})).toEqual(['9']);
    expect(await again(given.collection_id, { picture: '/files/uploads/x.png' })).toEqual(['/files/uploads/x.png']);
    expect((await submitting.trial.prepare(artist, painter.id, { variables: null })).job.options.files).toEqual([]);
  });
});
