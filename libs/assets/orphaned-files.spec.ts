import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sealedKey } from '#libs/encryption/sealed-key.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import type { Storage } from '#libs/storage/storage.js';
import { createAsset } from '../../test/factories/asset.js';
import { submitJob, type SubmittedJob } from '../../test/factories/job.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { startS3Server } from '../../test/setup/s3/server.js';
import { renderKey } from './asset-key.js';
import { OrphanedFiles } from './orphaned-files.js';
import { variantKey } from './thumbnails.js';

const YESTERDAY = new Date(Date.now() - 25 * 3_600_000);

/** A storage whose files can be made old. */
interface Shelf {
  storage: Storage;
  age(key: string): unknown;
  close(): Promise<unknown>;
}

async function localShelf(): Promise<Shelf> {
  const root = await mkdtemp(join(tmpdir(), 'platen-orphans-'));
  return {
    storage: new LocalStorage(root),
    age: (key) => utimes(join(root, key), YESTERDAY, YESTERDAY),
    close: () => rm(root, { recursive: true }),
  };
}

async function s3Shelf(): Promise<Shelf> {
  const server = await startS3Server();
  const storage = server.storage();
  return {
    storage,
    age: (key) => (server.bucket.objects.get(key)!.modifiedAt = YESTERDAY),
    close: () => storage.close().then(() => server.close()),
  };
}

const SHELVES = [['LocalStorage', localShelf], ['S3Storage', s3Shelf]] as const;

describe.each(SHELVES)('orphaned files in %s', (_name, open) => {
  let test: TestDatabase;
  let shelf: Shelf;
  let job: SubmittedJob;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    shelf = await open();
    job = await submitJob(test.database, { steps: [{ id: 1, nodeName: 'prompt', nodePayload: {} }] });
    await setStatus('failed');
  });
  afterEach(() => shelf.close());

  const setStatus = (status: string) =>
    test.database.query('update generation set status = $2 where id = $1', [job.generationIds[0], status]);
  const put = async (key: string, isOld = true) => {
    await shelf.storage.put(key, Readable.from(['content']), { mimeType: 'text/plain' });
    if (isOld) await shelf.age(key);
    return key;
  };
  const generated = (name = '0-abc.png', generationId = job.generationIds[0]) =>
    `generations/${job.userId}/${job.jobId}/${generationId}/1/${name}`;
  const uploaded = (userId = job.userId) => `uploads/${userId}/${randomUUID()}.png`;
  const isKept = async (key: string) => (await shelf.storage.stat(key)) !== null;
  const input = () => `private/${job.userId}/inputs/${randomUUID()}.png`;
  /** Of an attempt of the job's, as the engine names it. */
  const render = async () => {
    const token = randomUUID();
    await test.database.query(
      `insert into step_run (generation_id, run, step_id, attempt, node, token)
       values ($1, 1, 1, (select 1 + count(*) from step_run where generation_id = $1), 'replicate', $2)
       on conflict do nothing`,
      [job.generationIds[0], token],
    );
    return renderKey(token, 0);
  };
  /** One round through all places, begun anywhere. */
  const sweepAll = async () => {
    const orphans = new OrphanedFiles(test.database, shelf.storage);
    let removed = 0;
    for (let page = 0; page < 6; page++) removed += await orphans.sweep();
    return removed;
  };

  it('are removed after a day, whether they were generated, uploaded, inputs or renders', async () => {
    const encrypted = sealedKey(randomUUID(), generated());
    const keys = [
      await put(generated()), await put(encrypted), await put(uploaded()), await put(input()), await put(await render()),
    ];
    expect(await sweepAll()).toBe(5);
    expect(await Promise.all(keys.map(isKept))).toEqual(keys.map(() => false));
    expect(await sweepAll()).toBe(0);
  });

  it('are none while they are young', async () => {
    const keys = [await put(generated(), false), await put(uploaded(), false)];
    expect(await sweepAll()).toBe(0);
    expect(await Promise.all(keys.map(isKept))).toEqual([true, true]);
  });

  it('are none while a row names them, be it a deleted one', async () => {
    const [shown, deleted] = [await put(uploaded()), await put(generated())];
    await createAsset(test.database, { userId: job.userId, storageKey: shown });
    const { id } = await createAsset(test.database, { userId: job.userId, storageKey: deleted });
    await test.database.query('update flat_file set deleted_at = now() where id = $1', [id]);
    expect(await sweepAll()).toBe(0);
    expect(await Promise.all([shown, deleted].map(isKept))).toEqual([true, true]);
  });

  it('are thumbnails whose asset is gone, and none while it is there', async () => {
    const [living, gone] = [uploaded(), uploaded()];
    await createAsset(test.database, { userId: job.userId, storageKey: living });
    const keys = [await put(variantKey(living, '512')), await put(variantKey(gone, '512')), await put(variantKey(generated(), 'poster'))];
    expect(await sweepAll()).toBe(2);
    expect(await Promise.all(keys.map(isKept))).toEqual([true, false, false]);
  });

  it.each(['pending', 'processing'])('are none while their generation is %s', async (status) => {
    const keys = [await put(generated()), await put(await render())];
    await setStatus(status);
    expect(await sweepAll()).toBe(0);
    expect(await Promise.all(keys.map(isKept))).toEqual([true, true]);
  });

  it('are none of ours where no attempt made such a render', async () => {
    const key = await put(renderKey(randomUUID(), 0));
    expect(await sweepAll()).toBe(0);
    expect(await isKept(key)).toBe(true);
  });

  it('are left while their generation is locked, as by a resume', async () => {
    const key = await put(generated());
    await test.database.transaction(async (tx) => {
      await tx.query('select 1 from generation where id = $1 for update', [job.generationIds[0]]);
      expect(await sweepAll()).toBe(0);
    });
    expect(await isKept(key)).toBe(true);
  });

  it('of another installation, or of none, are nobody of ours to remove', async () => {
    const keys = [
      await put(generated('0-abc.png', randomUUID())), await put(uploaded(randomUUID())),
      await put('uploads/no-user/a.png'), await put('generations/a/b/c/d.png'), await put('backups/a.tar'),
    ];
    expect(await sweepAll()).toBe(0);
    expect(await Promise.all(keys.map(isKept))).toEqual(keys.map(() => true));
  });
});
