import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { connectPostgresBackend } from './postgres-backend.js';

describe('the queue on Postgres', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  it('tells of connections that are cut, but no longer once it is closed', async () => {
    const told: Error[] = [];
    const backend = await connectPostgresBackend(test.url, (error) => told.push(error));
    const queue = new backend.classes.Queue('told', backend.queueOptions);
    queue.on('error', (error) => told.push(error));
    const pool = backend.queueOptions.connection as pg.Pool;
    const cut = new Error('terminating connection due to administrator command');

    pool.emit('error', cut, {} as pg.PoolClient);
    expect(told).toContain(cut);

    told.length = 0;
    await queue.close();
    await backend.close();
    pool.emit('error', cut, {} as pg.PoolClient);
    expect(told).toEqual([]);
  });
});
