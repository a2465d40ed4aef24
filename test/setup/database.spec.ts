import { createTestDatabase, type TestDatabase } from './database.js';

describe('createTestDatabase', () => {
  let first: TestDatabase;
  let second: TestDatabase;

  beforeAll(async () => {
    first = await createTestDatabase();
    second = await createTestDatabase();
  });

  afterAll(async () => {
    await first.close();
    await second.close();
  });

  it('has the schema of the migrations', async () => {
    const rows = await first.database.query(`select to_regclass('generation')::text as name`);
    expect(rows).toEqual([{ name: 'generation' }]);
  });

  it('shares nothing with another test database', async () => {
    await first.database.query(`insert into account (user_id) values (gen_random_uuid())`);
    expect(await second.database.query('select * from account')).toEqual([]);
  });
});
