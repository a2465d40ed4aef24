import type { StoredFile } from '#libs/engine/generation-store.js';
import { submitJob } from '../../test/factories/job.js';
import { createCollection } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { insertAssets, showAssets, type StepFiles } from './asset-rows.js';

const file = (text: string): StoredFile => ({
  storage_key: `generations/u/j/g/${text}.png`, name: `${text}.png`, mime_type: 'image/png', size: 12,
  sha256: 'ab'.repeat(32), width: 4, height: 3, duration: null,
});

describe('rows of generated assets', () => {
  let test: TestDatabase;
  let made: StepFiles;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  beforeEach(async () => {
    const { jobId, userId, generationIds } = await submitJob(test.database, {
      steps: [{ id: 1, nodeName: 'p5', nodePayload: {} }, { id: 2, nodeName: 'p5', nodePayload: {} }],
    });
    const collectionId = await createCollection(test.database, userId, { status: 'draft' });
    made = { userId, collectionId, jobId, generationId: generationIds[0] as string, stepId: '1', files: [] };
  });

  const insert = (differs: Partial<StepFiles>) =>
    test.database.transaction((tx) => insertAssets(tx, { ...made, ...differs }));
  const show = (steps: string[] | 'all' = 'all') =>
    test.database.transaction((tx) => showAssets(tx, { generationId: made.generationId, steps }));
  const rows = (columns: string) =>
    test.database.query(`select ${columns} from flat_file where generation_id = $1 order by id`, [made.generationId]);

  it('are hidden at first, in the order of the outputs', async () => {
    const assets = await insert({ files: [file('a'), file('b')] });
    expect(assets.map(({ name, url }) => [name, url])).toEqual([
      ['a.png', '/files/generations/u/j/g/a.png'], ['b.png', '/files/generations/u/j/g/b.png'],
    ]);
    expect(await rows('id, index, name, url, shown, step_id, size, width')).toEqual([
      { id: assets[0]?.id, index: 0, name: 'a.png', url: null, shown: false, step_id: '1', size: '12', width: 4 },
      { id: assets[1]?.id, index: 1, name: 'b.png', url: null, shown: false, step_id: '1', size: '12', width: 4 },
    ]);
  });

  it('stay one row per place, which points at the newer bytes', async () => {
    const [first] = await insert({ files: [file('a')] });
    const [again] = await insert({ files: [file('b')] });
    expect(again?.id).toBe(first?.id);
    expect(await rows('storage_key')).toEqual([{ storage_key: 'generations/u/j/g/b.png' }]);
  });

  it('are linked to the component of their step, where there is one', async () => {
    const [component] = await test.database.query<{ id: string }>(
      'insert into component (collection_id) values ($1) returning id', [made.collectionId],
    );
    const [linked] = await insert({ stepId: component?.id as string, files: [file('a')] });
    await insert({ stepId: component?.id as string, files: [file('a')] });
    await insert({ stepId: '999999', files: [file('b')] });
    expect(await test.database.query('select component_id, flat_file_id from component_flat_file')).toEqual([
      { component_id: component?.id, flat_file_id: linked?.id },
    ]);
  });

  it('get their URL and the record of their making when they are shown', async () => {
    await insert({ stepId: '2', files: [file('c')] });
    await insert({ files: [file('a'), file('b')] });
    const shown = await show();
    expect(shown.map(({ name, url, step_id, size }) => [name, url, step_id, size])).toEqual([
      ['a.png', '/files/generations/u/j/g/a.png', '1', 12],
      ['b.png', '/files/generations/u/j/g/b.png', '1', 12],
      ['c.png', '/files/generations/u/j/g/c.png', '2', 12],
    ]);
    const [row] = await rows('shown, url, gen_in_data, gen_out_data');
    const [generation] = await test.database.query<{ hash: string }>(
      'select hash from generation where id = $1', [made.generationId],
    );
    expect(row).toMatchObject({
      shown: true,
      url: '/files/generations/u/j/g/c.png',
      gen_in_data: {
        version: 'v2',
        steps: [{ nodeName: 'p5' }, { nodeName: 'p5' }],
        generations: { hashes: [generation?.hash], generations: 1, use_custom_hashes: true },
      },
      gen_out_data: { hash: generation?.hash, traits: [] },
    });
  });

  it('say which bytes other hosts gave to the steps that made them', async () => {
    const fetched = [{ url: 'https://example.com/a.png', sha256: 'a'.repeat(64) }];
    for (const [stepId, output] of [['1', { fetched }], ['2', {}]] as const) {
      await test.database.query(
        `insert into step_run (generation_id, step_id, attempt, run, status, node, token, output)
         values ($1, $2, 1, 1, 'completed', 'p5', gen_random_uuid(), $3)`,
        [made.generationId, stepId, JSON.stringify({ assets: [], value: null, traits: [], ...output })],
      );
    }
    await insert({ stepId: '2', files: [file('c')] });
    await show();
    const [row] = await rows('gen_in_data');
    expect(row).toMatchObject({ gen_in_data: { version: 'v2', fetched } });
  });

  it('are given up where only the last steps count', async () => {
    await insert({ files: [file('a')] });
    await insert({ stepId: '2', files: [file('c')] });
    expect((await show(['2'])).map(({ name }) => name)).toEqual(['c.png']);
    expect(await rows('name, shown, url, deleted_at is not null as deleted')).toEqual([
      { name: 'a.png', shown: false, url: null, deleted: true },
      { name: 'c.png', shown: true, url: '/files/generations/u/j/g/c.png', deleted: false },
    ]);
  });

  it('vanish with a transaction that fails', async () => {
    const failing = test.database.transaction(async (tx) => {
      await insertAssets(tx, { ...made, files: [file('a')] });
      throw new Error('later');
    });
    await expect(failing).rejects.toThrow('later');
    expect(await rows('id')).toEqual([]);
  });
});
