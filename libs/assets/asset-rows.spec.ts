import type { Lease, StoredFile } from '#libs/engine/generation-store.js';
import { submitJob } from '../../test/factories/job.js';
import { createCollection } from '../../test/factories/asset.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { keepFiles, outputView, showCtes, type StepFiles } from './asset-rows.js';

const file = (text: string): StoredFile => ({
  storage_key: `generations/u/j/g/${text}.png`, name: `${text}.png`, mime_type: 'image/png', size: 12,
  sha256: 'ab'.repeat(32), width: 4, height: 3, duration: null,
});

describe('rows of generated assets', () => {
  let test: TestDatabase;
  let made: StepFiles;
  let lease: Lease;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  beforeEach(async () => {
    const { jobId, userId, generationIds } = await submitJob(test.database, {
      steps: [{ id: 1, nodeName: 'p5', nodePayload: {} }, { id: 2, nodeName: 'p5', nodePayload: {} }],
    });
    const collectionId = await createCollection(test.database, userId, { status: 'draft' });
    made = { userId, collectionId, stepId: '1', files: [] };
    lease = { jobId, generationId: generationIds[0] as string, number: 1, lane: 'default', alone: false };
    await test.database.query("update generation set lease = 1, status = 'processing' where id = $1", [
      lease.generationId,
    ]);
  });

  const keep = (differs: Partial<StepFiles>, holder = lease) =>
    keepFiles(test.database, holder, { ...made, ...differs });
  const show = (steps: string[] | null = null, fetched: unknown = null) =>
    test.database.query(
      `with g as (select * from generation where id = $1),
       ${showCtes({ generation: 'g', job: '$2', traits: '$3', steps: '$4', fetched: '$5', made: '$6' })} select 1 from g`,
      [lease.generationId, lease.jobId, '[]', steps, fetched && JSON.stringify(fetched), '{"release": "1"}'],
    );
  const rows = (columns: string) =>
    test.database.query(`select ${columns} from flat_file where generation_id = $1 order by id`, [lease.generationId]);

  it('are hidden at first, in the order of the outputs', async () => {
    const assets = await keep({ files: [file('a'), file('b')] });
    expect(assets.map(({ name, url }) => [name, url])).toEqual([
      ['a.png', '/files/generations/u/j/g/a.png'], ['b.png', '/files/generations/u/j/g/b.png'],
    ]);
    expect(await rows('id, index, name, url, shown, step_id, size, width')).toEqual([
      { id: assets[0]?.id, index: 0, name: 'a.png', url: null, shown: false, step_id: '1', size: '12', width: 4 },
      { id: assets[1]?.id, index: 1, name: 'b.png', url: null, shown: false, step_id: '1', size: '12', width: 4 },
    ]);
  });

  it('stay one row per place, which points at the newer bytes', async () => {
    const [first] = await keep({ files: [file('a')] });
    const [again] = await keep({ files: [file('b')] });
    expect(again?.id).toBe(first?.id);
    expect(await rows('storage_key')).toEqual([{ storage_key: 'generations/u/j/g/b.png' }]);
  });

  it('are linked to the component of their step, where there is one', async () => {
    const [component] = await test.database.query<{ id: string }>(
      'insert into component (collection_id) values ($1) returning id', [made.collectionId],
    );
    const [linked] = await keep({ stepId: component?.id as string, files: [file('a')] });
    await keep({ stepId: component?.id as string, files: [file('a')] });
    await keep({ stepId: '999999', files: [file('b')] });
    expect(await test.database.query('select component_id, flat_file_id from component_flat_file')).toEqual([
      { component_id: component?.id, flat_file_id: linked?.id },
    ]);
  });

  it('get their URL and the record of their making when they are shown', async () => {
    await keep({ stepId: '2', files: [file('c')] });
    await keep({ files: [file('a'), file('b')] });
    await show();
    const [row] = await rows('shown, url, gen_in_data, gen_out_data');
    const [generation] = await test.database.query<{ hash: string }>(
      'select hash from generation where id = $1', [lease.generationId],
    );
    expect(row).toMatchObject({
      shown: true,
      url: '/files/generations/u/j/g/c.png',
      gen_in_data: {
        version: 'v2',
        steps: [{ nodeName: 'p5' }, { nodeName: 'p5' }],
        generations: { hashes: [generation?.hash], generations: 1, use_custom_hashes: true },
      },
      gen_out_data: { hash: generation?.hash, traits: [], made: { release: '1' } },
    });
  });

  it('say which bytes other hosts gave to the steps that made them', async () => {
    const fetched = [{ url: 'https://example.com/a.png', sha256: 'a'.repeat(64) }];
    await keep({ stepId: '2', files: [file('c')] });
    await show(null, fetched);
    const [row] = await rows('gen_in_data');
    expect(row).toMatchObject({ gen_in_data: { version: 'v2', fetched } });
  });

  it('are given up where only the last steps count', async () => {
    await keep({ files: [file('a')] });
    await keep({ stepId: '2', files: [file('c')] });
    await show(['2']);
    expect(await rows('name, shown, url, deleted_at is not null as deleted')).toEqual([
      { name: 'a.png', shown: false, url: null, deleted: true },
      { name: 'c.png', shown: true, url: '/files/generations/u/j/g/c.png', deleted: false },
    ]);
  });

  it('are refused from who does not hold the lease any more', async () => {
    await expect(keep({ files: [file('a')] }, { ...lease, number: 0 })).rejects.toThrow('lease');
    await test.database.query("update generation set status = 'cancelled' where id = $1", [lease.generationId]);
    await expect(keep({ files: [file('a')] })).rejects.toThrow('lease');
    expect(await rows('id')).toEqual([]);
  });

  it('are told without their place in storage', async () => {
    const [kept] = await keep({ files: [file('a')] });
    expect(outputView('1', kept!)).toMatchObject({ id: kept?.id, url: '/files/generations/u/j/g/a.png', step_id: '1', thumbnail_url: null });
    expect(outputView('1', kept!)).not.toHaveProperty('storage_key');
  });
});
