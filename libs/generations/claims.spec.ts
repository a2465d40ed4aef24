import { randomUUID } from 'node:crypto';
import { submitJob } from '../../test/factories/job.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testKeys } from '../../test/factories/keys.js';
import { aloneWaits, claim, renew } from './claims.js';

const steps = [{ id: 1, nodeName: 'echo', nodePayload: {} }];

describe('claims', () => {
  let test: TestDatabase;
  const take = async (idle = true) =>
    (await claim(test.database, testKeys(test.database), { lane: 'default', worker: 'w', idle }))?.lease;
  const submit = (plan = {}) => submitJob(test.database, { steps, ...plan });

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterEach(() => test.database.query('delete from job'));
  afterAll(() => test.close());

  it('takes by priority, then by turn, so that users alternate', async () => {
    const many = await submit({ generations: 3, firstTurn: 1 });
    const single = await submit({ firstTurn: 2 });
    const urgent = await submit({ firstTurn: 9, priority: 90 });
    const order = [];
    for (let n = 0; n < 5; n++) order.push((await take())?.generationId);
    expect(order[0]).toBe(urgent.generationIds[0]);
    expect(order[1]).toBe(many.generationIds[0]);
    expect(order.slice(2, 4).sort()).toEqual([many.generationIds[1], single.generationIds[0]].sort());
    expect(order[4]).toBe(many.generationIds[2]);
    expect(await take()).toBeUndefined();
  });

  it('gives each generation to one of many claimers', async () => {
    await submit({ generations: 20 });
    const claimed = await Promise.all(Array.from({ length: 30 }, () => take()));
    const ids = claimed.flatMap((lease) => (lease ? [lease.generationId] : []));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(20);
  });

  it('neither waits for a generation that somebody else has in hand, nor takes it after them', async () => {
    const { generationIds: [first, second] } = await submit({ generations: 2 });
    await test.database.transaction(async (tx) => {
      await tx.query('select from generation where id = $1 for update', [first]);
      expect(await take()).toMatchObject({ generationId: second, number: 1 });
      expect(await take()).toBeUndefined();
    });
    expect(await take()).toMatchObject({ generationId: first, number: 1 });
  });

  it('leaves other lanes, and what nothing wakes, alone', async () => {
    await submit({ lane: 'chromium' });
    const asleep = await submit();
    await test.database.query('update generation set wake_at = null where job_id = $1', [asleep.jobId]);
    expect(await take()).toBeUndefined();
  });

  it('takes due waiting generations first', async () => {
    await submit({ priority: 100 });
    const waiting = await submit({ priority: 1 });
    await test.database.query("update generation set status = 'waiting' where job_id = $1", [waiting.jobId]);
    expect((await take())?.jobId).toBe(waiting.jobId);
  });

  it('gives a generation that must run alone to an idle worker only', async () => {
    const { jobId } = await submit();
    await test.database.query('update generation set alone = true where job_id = $1', [jobId]);
    expect(await take(false)).toBeUndefined();
    expect(await aloneWaits(test.database, ['default'])).toBe(true);
    expect((await take(true))?.alone).toBe(true);
    expect(await aloneWaits(test.database, ['default'])).toBe(false);
  });

  it('lets another worker take over when a lease has run out, under a higher number', async () => {
    await submit();
    const first = await take();
    await test.database.query("update generation set lease_until = now() - interval '1 second'");
    const second = await take();
    expect(second?.generationId).toBe(first?.generationId);
    expect(second?.number).toBe((first?.number ?? 0) + 1);
    expect(await renew(test.database, [first!])).toEqual([]);
    expect(await renew(test.database, [second!])).toHaveLength(1);
  });

  it('does not renew what was given back, so that the next worker need not wait', async () => {
    await submit();
    const lease = (await take())!;
    await test.database.query('update generation set lease_until = null, leased_by = null where id = $1', [
      lease.generationId,
    ]);
    expect(await renew(test.database, [lease])).toEqual([]);
    expect(await take()).toMatchObject({ generationId: lease.generationId, number: lease.number + 1 });
  });

  it('renews without waiting for a row that a change of state holds, and does not call it lost', async () => {
    await submit();
    const lease = await take();
    await test.database.transaction(async (tx) => {
      await tx.query('select from generation where id = $1 for update', [lease!.generationId]);
      expect(await renew(test.database, [lease!])).toHaveLength(1);
    });
    expect(await renew(test.database, [{ ...lease!, generationId: randomUUID() }])).toEqual([]);
  });
});
