import { randomUUID } from 'node:crypto';
import { createCollection } from '../../../test/factories/asset.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { DistributionController } from './distribution.controller.js';
import type { DistributionAnswer } from './distribution.dto.js';

const VARIABLES = [{ name: 'Palette', type: 'pick', value_type: 'strings', value: { values: ['Ink', 'Ochre'] } }];

describe(DistributionController.name, () => {
  let api: TestApi;
  let id: string;
  const userId = randomUUID();

  beforeAll(async () => {
    api = await startTestApi();
    id = await createCollection(api.database, userId);
    const set = { version: 'v2', steps: [], generations: {}, variables: VARIABLES };
    await api.database.query('update collection set data = $2 where id = $1', [id, JSON.stringify(set)]);
  });
  afterAll(() => api.close());

  const ask = async (body: unknown, headers: Record<string, string> = api.as(userId), collectionId = id) => {
    const response = await fetch(`${api.url}/collections/${collectionId}/distribution`, {
      method: 'POST',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: JSON.stringify(body),
    });
    return (await response.json()) as { data: DistributionAnswer; code?: string; details?: unknown };
  };

  it('tells the shares of 1,000 new hashes, or as many as are asked for', async () => {
    const { data } = await ask(undefined);
    expect(data).toMatchObject({ hashes: 1_000, traits: [{ trait_type: 'Palette', distinct: 2, range: null }] });
    const [{ values } = { values: [] }] = data.traits;
    expect(values.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    for (const { share } of values) expect(Math.abs(share - 0.5)).toBeLessThan(0.15);
    expect((await ask({ hashes: 1 })).data.traits[0]!.values).toMatchObject([{ count: 1, share: 1 }]);
  });

  it('refuses more, and fewer than one', async () => {
    for (const hashes of [0, 1_001, 1.5]) {
      expect(await ask({ hashes })).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'hashes' }] });
    }
  });

  it('is for the owner, even of a published collection; a set without variables has none', async () => {
    expect((await ask({}, api.as(randomUUID()))).code).toBe('COLLECTION_NOT_FOUND');
    const bare = await createCollection(api.database, userId);
    expect((await ask({}, api.as(userId), bare)).data).toEqual({ hashes: 1_000, traits: [] });
  });
});
