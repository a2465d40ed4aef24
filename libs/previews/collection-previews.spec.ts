import { FileUrls } from '#libs/assets/file-urls.js';
import type { Variants } from '#libs/assets/thumbnails.js';
import { deleteAsset } from '#libs/assets/asset-removal.js';
import { Collections } from '#libs/collections/collections.js';
import { CollectionLists } from '#libs/collections/collection-lists.js';
import type { Storage } from '#libs/storage/storage.js';
import { createAsset, createCollection } from '../../test/factories/asset.js';
import { finishEditions } from '../../test/factories/edition.js';
import { createUser } from '../../test/factories/job-submission.js';
import { testKeys } from '../../test/factories/keys.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { choosePreviews } from './collection-previews.js';
import { ThumbnailRows, type DueFile } from './thumbnail-rows.js';

const MADE = { mime_type: 'image/webp', size: 1, sha256: 'ab'.repeat(32), width: 4, height: 3 };
const VARIANTS: Variants = { 256: MADE, 512: MADE, 1024: MADE };

describe(choosePreviews.name, () => {
  let test: TestDatabase;
  let userId: string;
  let id: string;
  let rows: ThumbnailRows;
  let generations: string[];
  const urls = new FileUrls({ masterKey: 'x'.repeat(32) });

  beforeAll(async () => {
    test = await createTestDatabase();
    rows = new ThumbnailRows(test.database);
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    userId = await createUser(test.database);
    id = await createCollection(test.database, userId);
    await test.database.query('insert into collection_preview (collection_id) values ($1)', [id]);
    generations = await finishEditions(test.database, { userId, collectionId: id, traits: [[], [], [], [], []] });
  });

  /** The picture of an edition, whose thumbnails are due. */
  const picture = async (edition: number, mimeType = 'image/png') => {
    const asset = await createAsset(test.database, { userId, collectionId: id, mimeType });
    await test.database.query(
      `update flat_file set generation_id = $2, step_id = 1, index = 0, thumbnail_due = now() where id = $1`,
      [asset.id, generations[edition]],
    );
    return asset;
  };
  const drawn = ({ id: assetId, storageKey }: { id: string; storageKey: string }) =>
    rows.keep({ id: assetId } as DueFile, VARIANTS, `${storageKey}.512.webp`);
  const preview = async () => {
    const { cover_image_url, preview_images } = await new Collections(test.database, urls, testKeys(test.database)).findPublic(undefined, id);
    return { cover: cover_image_url, images: preview_images };
  };

  it('shows the first edition as the cover, and thumbnails of the first four', async () => {
    const pictures = [];
    for (const edition of [4, 3, 2, 1, 0]) pictures.unshift(await picture(edition));
    for (const each of pictures) await drawn(each);
    expect(await choosePreviews(test.database)).toEqual([id]);
    const images = pictures.slice(0, 4).map(({ storageKey }) => `/files/${storageKey}.512.webp`);
    expect(await preview()).toEqual({ cover: `/files/${pictures[0]?.storageKey}.1024.webp`, images });
    expect(await choosePreviews(test.database)).toEqual([]);
    const listed = new CollectionLists(test.database, urls);
    const [first] = await listed.present(await listed.published({}, { limit: 1, after: null }));
    expect(first).toMatchObject({ id, cover_image_url: expect.stringContaining('.1024.webp'), preview_images: images });
  });

  it('leaves the cover of its owner, and comes back when that is taken away', async () => {
    const asset = await picture(0);
    await test.database.query(`update collection set cover_image_url = 'https://a.test/b' where id = $1`, [id]);
    await drawn(asset);
    await choosePreviews(test.database);
    expect((await preview()).cover).toBe('https://a.test/b');
    await test.database.query('update collection set cover_image_url = null where id = $1', [id]);
    expect((await preview()).cover).toBe(`/files/${asset.storageKey}.1024.webp`);
  });

  it('waits for the end of the job, and for the first edition to be drawn', async () => {
    const [first, second] = [await picture(0), await picture(1)];
    await drawn(second);
    const setStatus = (status: string) =>
      test.database.query('update job set status = $2 where collection_id = $1', [id, status]);
    await setStatus('processing');
    expect(await choosePreviews(test.database)).toEqual([]);
    await setStatus('failed');
    expect(await choosePreviews(test.database)).toEqual([id]);
    expect(await preview()).toEqual({ cover: null, images: [] });
    await drawn(first);
    await choosePreviews(test.database);
    expect((await preview()).images).toHaveLength(2);
  });

  it('shows an image that cannot be drawn as it is, and no video without its poster', async () => {
    const [video, image] = [await picture(0, 'video/mp4'), await picture(1)];
    for (const each of [video, image]) await rows.fail({ id: each.id } as DueFile, 'broken', null);
    await choosePreviews(test.database);
    expect(await preview()).toEqual({ cover: `/files/${image.storageKey}`, images: [] });
    await drawn(video);
    await choosePreviews(test.database);
    expect((await preview()).cover).toBe(`/files/${video.storageKey}.1024.webp`);
  });

  it('takes another when the one that it shows is deleted, and signs what is not public', async () => {
    const [first, second] = [await picture(0), await picture(1)];
    for (const each of [first, second]) await drawn(each);
    await choosePreviews(test.database);
    const storage = { delete: async () => undefined } as unknown as Storage;
    await deleteAsset(test.database, storage, userId, first.id);
    expect(await choosePreviews(test.database)).toEqual([id]);
    expect((await preview()).cover).toBe(`/files/${second.storageKey}.1024.webp`);
    await test.database.query(`update collection set status = 'draft' where id = $1`, [id]);
    const { cover_image_url } = await new Collections(test.database, urls, testKeys(test.database)).find(userId, id);
    expect(cover_image_url).toMatch(/\.1024\.webp\?expires=\d+&signature=/);
  });
});
