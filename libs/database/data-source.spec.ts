import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { createDataSource, migrate, type DataSourceOptions } from './data-source.js';

describe('a migration', () => {
  let test: TestDatabase;
  let source: DataSource | undefined;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterEach(() => source?.destroy());
  afterAll(() => test.close());

  const connect = async (options: Partial<DataSourceOptions>, extra: object = {}) => {
    const made = createDataSource({ url: test.url, poolSize: 2, ...options }).options;
    source = new DataSource({ ...made, extra: { ...made.extra, ...extra } } as typeof made);
    return source.initialize();
  };

  it('may take as long as an index of a large table does, unlike any other statement', async () => {
    const limit = async (options: Partial<DataSourceOptions>) => {
      const [row] = await (await connect(options)).query('show statement_timeout');
      await source?.destroy();
      return row.statement_timeout;
    };
    expect([await limit({}), await limit({ unhurried: true })]).toEqual(['30s', '0']);
    source = undefined;
  });

  it('is waited for by other processes, for longer than locks are', async () => {
    const first = new pg.Client({ connectionString: test.url });
    await first.connect();
    await first.query('select pg_advisory_lock(7065412)');
    const second = migrate(await connect({}, { lock_timeout: 100 }));
    await delay(400);
    await first.end();
    expect(await second).toEqual([]);
    expect(await source?.query('show lock_timeout')).toEqual([{ lock_timeout: '100ms' }]);
  });
});
