import { setTimeout as delay } from 'node:timers/promises';
import { FaultProxy } from '../../test/chaos/harness/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { Database, isDatabaseUnavailable } from './database.js';

const SILENCE_MS = 2_000;
/** Well below what two timeouts one after another would take, were the silent connection asked to roll back. */
const SOON_MS = 2 * SILENCE_MS - 100;

describe('a way to Postgres', () => {
  let test: TestDatabase;
  let way: FaultProxy;
  let dataSource: DataSource;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase();
    way = await FaultProxy.to(test.url, Math.random);
    dataSource = await createDataSource({ url: way.url, poolSize: 4, silenceMs: SILENCE_MS }).initialize();
    database = new Database(dataSource);
  });
  afterAll(async () => {
    await way.close();
    await dataSource.destroy();
    await test.close();
  });

  it('that is cut between two statements of a transaction is one that is away', async () => {
    const cut = database.transaction(async (tx) => {
      await tx.query('select 1');
      way.cut();
      await delay(300);
      await tx.query('select 2');
    });
    expect(isDatabaseUnavailable(await cut.catch((reason: unknown) => reason))).toBe(true);
    expect(await database.query('select 3 as three')).toEqual([{ three: 3 }]);
  });

  it('is watched by Postgres, too: no session outlives its client by hours', async () => {
    expect(await database.query(`select current_setting('tcp_keepalives_idle') as idle`)).toEqual([{ idle: '30' }]);
  });

  it('that falls silent without an end is given up in time, and not used again', async () => {
    for (const ask of [
      () => database.query('select 1'),
      () => database.transaction((tx) => tx.query('select 1')),
    ]) {
      await database.query('select 1');
      way.silence();
      const startedAt = Date.now();
      const error: unknown = await ask().catch((reason: unknown) => reason);
      expect(isDatabaseUnavailable(error)).toBe(true);
      expect(Date.now() - startedAt).toBeLessThan(SOON_MS);
      way.speak();
      expect(await database.query('select 2 as two')).toEqual([{ two: 2 }]);
    }
  });
});
