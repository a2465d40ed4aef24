import { randomUUID } from 'node:crypto';
import { NodeRegistry } from '#libs/nodes/registry.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { createAsset, createCollection } from '../../test/factories/asset.js';
import { submitJob } from '../../test/factories/job.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testKeys } from '../../test/factories/keys.js';
import type { JobTransactions } from './job-transaction.js';
import { PostgresGenerationStore } from './postgres-generation-store.js';

describe('PostgresGenerationStore', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  it('takes what a set refers to in drafts of its user, unless the set is somebody else’s', async () => {
    const store = new PostgresGenerationStore(
      test.database, {} as JobTransactions, new NodeRegistry([]), {} as WakeQueue, testKeys(test.database),
      1_000,
    );
    const userId = randomUUID();
    const collection = await createCollection(test.database, userId, { status: 'draft' });
    const { id } = await createAsset(test.database, { userId, collectionId: collection });
    await test.database.query('update flat_file set step_id = 7 where id = $1', [id]);
    const steps = [{ id: 1, nodeName: 'echo', nodePayload: { value: { $ref: '7', collection } } }];
    for (const [options, found] of [[{}, 1], [{ files: [] }, 0]] as const) {
      await submitJob(test.database, { steps, userId, options });
      const claimed = await store.claim({ lane: 'default', worker: 'w', idle: true });
      expect({ options, found: claimed?.state.foreign.size }).toEqual({ options, found });
    }
  });
});
