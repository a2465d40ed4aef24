import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { FaultProxy } from '../../test/chaos/harness/fault-proxy.js';
import { eventually } from '../../test/setup/eventually.js';
import { BullmqWakeQueue } from './bullmq.wake-queue.js';
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

  it('takes wake-ups though Postgres was away just when it began', async () => {
    const way = await FaultProxy.to(test.url, Math.random);
    const backend = await connectPostgresBackend(way.url, () => undefined);
    way.inflict({ kind: 'error', probability: 1 });
    way.cut();
    const queue = new BullmqWakeQueue(backend);
    const taken: string[] = [];
    queue.consume('default', 1, async ({ generationId }) => void taken.push(generationId));
    await delay(3_000);
    way.inflict();
    const generationId = randomUUID();
    try {
      await eventually(async () => {
        await queue.wake([{ lane: 'default', generationId, dispatch: 1 }]);
        expect(taken).toContain(generationId);
      }, 15_000);
    } finally {
      await way.close();
      await queue.close();
    }
  }, 40_000);

  it('lives on when a connection is lost that somebody holds', async () => {
    const backend = await connectPostgresBackend(test.url, () => undefined);
    const pool = backend.queueOptions.connection as pg.Pool;
    const client = await pool.connect();
    const lost = new Promise<void>((resolve) => void client.once('end', resolve));
    await test.database.query('select pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID]);
    await lost;
    client.release(true);
    await backend.close();
  });
});
