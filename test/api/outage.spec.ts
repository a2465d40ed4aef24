import { createUser } from '../factories/job-submission.js';
import { startTestApi, type TestApi } from '../setup/api.js';
import { CuttableWay } from '../setup/cuttable.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { eventually } from '../setup/eventually.js';
import { asUser } from './callers.js';
import { outcomeOf } from './calls.js';
import { envelopeFaults } from './envelope.js';

const UNAVAILABLE = '503 SERVICE_UNAVAILABLE';

describe('while the database is away', () => {
  let test: TestDatabase;
  let way: CuttableWay;
  let api: TestApi;
  let userId: string;

  beforeAll(async () => {
    test = await createTestDatabase();
    way = await CuttableWay.to(test.url);
    api = await startTestApi({ DATABASE_URL: way.url, LOG_LEVEL: 'silent' });
    userId = await createUser(test.database);
  });
  afterAll(async () => {
    await api.close();
    await way.cut();
    await test.close();
  });

  it('answers 503 and when to come back; serves again when it is there', async () => {
    expect((await asUser(api, userId, '/credits')).status).toBe(200);
    await way.cut();
    for (const path of ['/credits', '/jobs?limit=1', '/workflows', '/collections/x/public', '/health/ready']) {
      const answer = await asUser(api, userId, path);
      const expected = path.startsWith('/collections') ? '404 COLLECTION_NOT_FOUND' : UNAVAILABLE;
      expect({ path, outcome: outcomeOf(answer) }).toEqual({ path, outcome: expected });
      expect(envelopeFaults(answer)).toEqual([]);
      expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
      if (expected === UNAVAILABLE) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect((await asUser(api, userId, '/health/live')).status).toBe(200);
    await way.mend();
    await eventually(async () => expect((await asUser(api, userId, '/credits')).status).toBe(200), 15_000);
    expect((await asUser(api, userId, '/health/ready')).status).toBe(200);
  });
});
