import { randomUUID } from 'node:crypto';
import { createCollection, reserveCollection } from '#libs/collections/new-collection.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { WebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { LocalKeyManagement } from '#libs/encryption/local.key-management.js';
import { Secrets } from '#libs/secrets/secrets.js';
import { buildCollection } from '../../test/factories/collection.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import type { Connected } from '../installation.js';
import { renewKeys, rotateKeys } from './rotate-keys.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

describe('platen rotate-keys', () => {
  let test: TestDatabase;
  const userId = randomUUID();

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  const environment = () => loadEnvironment({
    DATABASE_URL: test.url, PLATEN_MASTER_KEY: NEW, PLATEN_OLD_MASTER_KEYS: OLD,
  }) as Connected;

  async function create(id: string, masterKey = OLD) {
    const { database } = test;
    const { projectId } = await reserveCollection(database, { userId, projectId: null, steps: 0 });
    const key = await new CollectionKeys(database, new LocalKeyManagement([masterKey])).make(id, 'encryption_enabled');
    await createCollection(database, buildCollection(userId, { id, projectId, key }));
    return { id, key };
  }

  it('brings all that the old master key holds under the new one, which is enough from then on', async () => {
    const { database } = test;
    const { id, key } = await create(randomUUID());
    await new Secrets(database, OLD).put(userId, 'API_KEY', 'sk-1');
    const { secret } = await new WebhookSecrets(database, OLD).current(userId);

    expect(await renewKeys(environment())).toEqual({ collections: 1, secrets: 1, webhookSecrets: 1, failed: [] });
    expect(await renewKeys(environment())).toEqual({ collections: 0, secrets: 0, webhookSecrets: 0, failed: [] });

    const seal = await new CollectionKeys(database, new LocalKeyManagement([NEW])).of(id);
    expect(seal.open(key.seal.close('secret', 'place'), 'place')).toBe('secret');
    expect(await new Secrets(database, NEW).reveal(userId, 'API_KEY')).toBe('sk-1');
    expect((await new WebhookSecrets(database, NEW).current(userId)).secret).toBe(secret);
  });

  it('goes on where a key cannot be had, and names its collection', async () => {
    const [lost] = await Promise.all([create(randomUUID(), 'l'.repeat(32)), create(randomUUID())]);
    await new Secrets(test.database, OLD).put(userId, 'OTHER', 'sk-2');
    expect(await renewKeys(environment())).toEqual({ collections: 1, secrets: 1, webhookSecrets: 0, failed: [lost.id] });
    await expect(rotateKeys(environment())).rejects.toThrow(lost.id);
  });
});
