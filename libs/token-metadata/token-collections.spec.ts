import { randomUUID } from 'node:crypto';
import { FileUrls } from '#libs/assets/file-urls.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { Database } from '#libs/database/database.js';
import { TokenCollections, type TokenCollection } from './token-collections.js';

describe(TokenCollections, () => {
  it('ranks two collections at once, and lets no crowd wait for its turn', async () => {
    let [running, most] = [0, 0];
    const ends: Array<() => void> = [];
    // A ranking has three parameters; what is read of the files afterwards has one.
    const query = (_sql: unknown, parameters: unknown[]) => new Promise<never[]>((resolve) => {
      if (parameters.length < 3) return resolve([]);
      most = Math.max(most, (running += 1));
      ends.push(() => void resolve((running -= 1, [])));
    });
    const urls = new FileUrls({ masterKey: 'a master key of the tests, long enough' });
    const collections = new TokenCollections({ query } as unknown as Database, urls, {} as CollectionKeys);
    const collection = { id: randomUUID(), blockchain: null } as TokenCollection;
    const ask = () => collections.tokens(collection, {}, { after: null, limit: 1 });
    const asked = Array.from({ length: 52 }, ask);
    await expect(ask()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 5 });
    for (let round = 0; round < asked.length; round += 1) {
      for (const end of ends.splice(0)) end();
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asked)).toHaveLength(52);
    expect(most).toBe(2);
  });
});
