import { randomUUID } from 'node:crypto';
import { FileUrls } from '#libs/assets/file-urls.js';
import { createAsset, createCollection } from '../../test/factories/asset.js';
import { finishEditions } from '../../test/factories/edition.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { addressIn, publicAddress } from './file-address.js';
import { filesOf, mediaFileName, mediaOf } from './token-media.js';
import { tokenOf } from './token.js';

const MADE = { mime_type: 'image/webp', size: 9, sha256: 'ab'.repeat(32), width: 4, height: 3 };
const POSTER = { ...MADE, mime_type: 'image/jpeg' };
const COLLECTION = { title: 'Dunes', description: null };

describe(mediaOf.name, () => {
  let test: TestDatabase;
  const urls = new FileUrls({ masterKey: 'a master key of the tests, long enough' });

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  /** An edition with these files, each with its thumbnails if it has any. */
  const edition = async (files: Array<{ mimeType: string; extension: string; thumbnails?: object }>) => {
    const userId = randomUUID();
    const collectionId = await createCollection(test.database, userId);
    const [generation = ''] = await finishEditions(test.database, { userId, collectionId, traits: [[]] });
    for (const [index, { mimeType, extension, thumbnails }] of files.entries()) {
      const storageKey = `uploads/${userId}/${index}.${extension}`;
      const { id } = await createAsset(test.database, { userId, collectionId, mimeType, storageKey });
      await test.database.query(
        `update flat_file set generation_id = $2, step_id = 1, index = $3, thumbnails = $4 where id = $1`,
        [id, generation, index, thumbnails && JSON.stringify(thumbnails)],
      );
    }
    return { number: 7, traits: [], media: (await mediaOf(test.database, [generation]))(generation) };
  };
  const VIDEO = { mimeType: 'video/mp4', extension: 'mp4' };

  it('gives a video its poster as its image, and a thumbnail', async () => {
    const drawn = await edition([{ ...VIDEO, thumbnails: { 512: MADE, poster: POSTER } }]);
    const here = tokenOf(COLLECTION, drawn, publicAddress(urls));
    expect(here).toMatchObject({
      image: { uri: expect.stringMatching(/0\.mp4\.poster\.jpg$/), mimeType: 'image/jpeg', size: 9 },
      thumbnail: { uri: expect.stringMatching(/0\.mp4\.512\.webp$/), width: 4 },
      animation: { uri: expect.stringMatching(/0\.mp4$/), mimeType: 'video/mp4' },
    });
    const pinned = tokenOf(COLLECTION, drawn, addressIn('ipfs://cid'));
    expect([pinned.image?.uri, pinned.animation?.uri, pinned.thumbnail]).toEqual(['ipfs://cid/7.jpg', 'ipfs://cid/7.mp4', null]);
    expect(filesOf(drawn.media).map((file) => mediaFileName(7, file))).toEqual(['7.jpg', '7.mp4']);
  });

  it('leaves a video without one until it is made, and prefers the image of the edition', async () => {
    expect(tokenOf(COLLECTION, await edition([VIDEO]), publicAddress(urls))).toMatchObject({ image: null, thumbnail: null });
    const both = await edition([
      { ...VIDEO, thumbnails: { 512: MADE, poster: POSTER } },
      { mimeType: 'image/png', extension: 'png', thumbnails: { 512: MADE } },
    ]);
    expect(tokenOf(COLLECTION, both, publicAddress(urls))).toMatchObject({
      image: { uri: expect.stringMatching(/1\.png$/) }, thumbnail: { uri: expect.stringMatching(/1\.png\.512\.webp$/) },
    });
  });
});
