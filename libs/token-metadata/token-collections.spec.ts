import { randomUUID } from 'node:crypto';
import { FileUrls } from '#libs/assets/file-urls.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { Database } from '#libs/database/database.js';
import { TokenCollections, type TokenCollection } from './token-collections.js';

describe(TokenCollections, () => {
  it('ranks two collections at once, and lets no crowd wait for its turn', async () => {
    let [running, most] = [0, 0];
    const ends: Array<() => void> = [];
    const query = (sql: string) => new Promise<never[]>((resolve) => {
      if (!sql.includes('entropy')) return resolve([]);
      most = Math.max(most, (running += 1));
      ends.push(() => void resolve((running -= 1, [])));
    });
    const urls = new FileUrls({ masterKey: 'a master key of the tests, long enough' });
    const collections = new TokenCollections({ query } as unknown as Database, urls, {} as CollectionKeys);
    const ask = (id = randomUUID()) =>
      collections.tokens({ id, blockchain: null } as TokenCollection, {}, { after: null, limit: 1 });
    const one = randomUUID();
    const asked = [one, one, ...Array.from({ length: 51 }, () => undefined)].map((id) => ask(id));
    await new Promise(setImmediate);
    await expect(ask()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 5 });
    for (let round = 0; round < asked.length; round += 1) {
      for (const end of ends.splice(0)) end();
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asked)).toHaveLength(53);
    expect(most).toBe(2);
  });
});
