import { setTimeout as delay } from 'node:timers/promises';
import { Ledger } from '#libs/credits/ledger.js';
import { Plans } from '#libs/credits/plans.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { LOST, type Opener } from '#libs/encryption/collection-seal.js';
import { KeyUnavailable } from '#libs/encryption/key-management.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { deliveriesOf, record, submitTelling, timePasses } from '../../test/factories/deliveries.js';
import { AnnouncedMessages, AnnouncedWakeUps } from '../../test/factories/submitting.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testKeys } from '../../test/factories/keys.js';
import { DeliveryRows } from './delivery-rows.js';

const URL = 'https://hooks.test/a';
const NOBODY = { hosts: [], users: [] };

describe(DeliveryRows.name, () => {
  let test: TestDatabase;
  let rows: DeliveryRows;

  beforeAll(async () => {
    test = await createTestDatabase();
    rows = new DeliveryRows(test.database, testKeys(test.database));
  });
  afterAll(() => test.close());
  afterEach(() => test.database.query('truncate job, webhook_gone cascade'));

  const told = async (jobId: string) => (await deliveriesOf(test.database, jobId)).map(({ type, seq }) => `${seq} ${type}`);
  const tell = (jobId: string, ...types: string[]) =>
    types.reduce((before, type) => before.then(() => record(test.database, jobId, type)), Promise.resolve());
  const watched = async (jobId: string) =>
    (await test.database.query<{ watched: boolean }>('select watched from webhook where job_id = $1', [jobId]))[0]?.watched;

  describe('of events', () => {
    it('makes one delivery of each event that was asked for, whoever looks how often', async () => {
      const { jobId } = await submitTelling(test.database, { url: URL, events: ['node_completed', 'job_completed'] });
      await tell(jobId, 'job_started', 'node_completed', 'node_completed');
      await Promise.all(Array.from({ length: 5 }, () => rows.arise()));
      await tell(jobId, 'job_completed');
      await rows.arise();
      await rows.arise();
      expect(await told(jobId)).toEqual(['3 node_completed', '4 node_completed', '5 job_completed']);
    });

    it('goes through a long history in parts, and through many webhooks', async () => {
      const { jobId } = await submitTelling(test.database, { url: URL, events: ['node_started', 'job_failed'] });
      await test.database.query(
        `with moved as (update job set seq = 501 where id = $1 returning *)
         insert into job_history (job_id, user_id, seq, type, data)
         select id, user_id, s, 'node_started', '{}' from moved cross join generate_series(2, 501) as s`,
        [jobId],
      );
      await tell(jobId, 'job_failed');
      let looks = 1;
      while (await rows.arise()) looks += 1;
      expect(looks).toBe(3);
      expect(await told(jobId)).toHaveLength(501);
      expect(await watched(jobId)).toBe(false);
    });

    it('looks no more at a job that has ended, until it is resumed', async () => {
      const { jobId, userId } = await submitTelling(test.database, { url: URL, events: ['job_cancelled', 'job_resumed'] });
      const [queue, bus, ledger] = [new AnnouncedWakeUps(), new AnnouncedMessages(), new Ledger()];
      const control = new JobControl(new JobTransactions(test.database, ledger, bus), ledger, new Plans({}), queue, bus);
      await control.cancelJob(userId, jobId);
      await rows.arise();
      expect(await watched(jobId)).toBe(false);
      await control.resumeJob(userId, jobId);
      await control.cancelJob(userId, jobId);
      await rows.arise();
      expect((await told(jobId)).map((line) => line.split(' ')[1])).toEqual(['job_cancelled', 'job_resumed', 'job_cancelled']);
    });

    it('leaves a job that is just being resumed to the next look', async () => {
      const { jobId } = await submitTelling(test.database, { url: URL, events: ['job_failed', 'job_resumed'] });
      await tell(jobId, 'job_failed');
      let looking: Promise<unknown> | undefined;
      await test.database.transaction(async (tx) => {
        await record(tx, jobId, 'job_resumed');
        await tx.query('update webhook set watched = true where job_id = $1', [jobId]);
        looking = rows.arise();
        await delay(100);
      });
      await looking;
      await rows.arise();
      expect(await told(jobId)).toEqual(['2 job_failed', '3 job_resumed']);
      expect(await watched(jobId)).toBe(true);
    });
  });

  describe('that are due', () => {
    async function due(count: number, url = URL) {
      const { jobId, userId } = await submitTelling(test.database, { url, events: ['node_completed'] });
      await tell(jobId, ...Array.from({ length: count }, () => 'node_completed'));
      await rows.arise();
      return { jobId, userId };
    }

    it('are each had by one of those who claim at once, and again by nobody before the lease has run out', async () => {
      await due(5);
      const claims = await Promise.all(Array.from({ length: 10 }, () => rows.claim(NOBODY)));
      const ids = claims.flatMap((claim) => claim?.id ?? []);
      expect([ids.length, new Set(ids).size]).toEqual([5, 5]);
      expect(await rows.claim(NOBODY)).toBeNull();
      await timePasses(test.database);
      expect(await rows.claim(NOBODY)).toMatchObject({ attempt: 2, tries: 2 });
    });

    it('are passed over for hosts and users that have enough', async () => {
      const slow = await due(3, 'http://slow.test/');
      await due(1, 'http://quick.test/');
      expect(await rows.claim({ hosts: ['slow.test'], users: [] })).toMatchObject({ host: 'quick.test' });
      expect(await rows.claim({ hosts: [], users: [slow.userId] })).toBeNull();
      expect(await rows.claim(NOBODY)).toMatchObject({ host: 'slow.test' });
    });

    const seal = (jobId: string) => test.database.query(
      `with sealed as (update job_history set data = '{"$enc": "x"}' where job_id = $1)
       update job set encrypted = true, instruction_set = instruction_set || '{"$enc": ""}' where id = $1`,
      [jobId],
    );
    const openedBy = (opener: () => Promise<Opener>) => new DeliveryRows(test.database, { opener } as unknown as CollectionKeys);

    it('hold up no others while their key is away, and have lost no try when it is back', async () => {
      const { jobId } = await due(40);
      await seal(jobId);
      await test.database.query(`update delivery set next_at = now() - interval '1 minute'`);
      await due(1, 'http://quick.test/');
      const away = openedBy(() => Promise.reject(new KeyUnavailable('away')));
      expect(await away.claim(NOBODY)).toMatchObject({ host: 'quick.test' });
      expect(await away.claim(NOBODY)).toBeNull();
      await timePasses(test.database);
      expect(await openedBy(() => Promise.resolve(LOST)).claim(NOBODY)).toMatchObject({ host: 'hooks.test', tries: 1 });
    });

    it('hold up no others where they cannot be read, and are given up like those that nobody takes', async () => {
      const { jobId } = await due(1);
      await seal(jobId);
      const unreadable = openedBy(() => Promise.reject(new Error('changed')));
      for (let attempt = 0; attempt < 9; attempt++) {
        expect(await unreadable.claim(NOBODY)).toBeNull();
        await test.database.query('update delivery set next_at = now()');
      }
      expect(await deliveriesOf(test.database, jobId)).toMatchObject([{ status: 'failed', attempts: 9 }]);
    });

    it('keep what came of their newest attempt: one that ends too late changes nothing', async () => {
      const { jobId } = await due(1);
      const late = (await rows.claim(NOBODY))!;
      await timePasses(test.database);
      const newest = (await rows.claim(NOBODY))!;
      await rows.settle(late, { status: 500, error: 'no' }, { status: 'failed', retryInMs: null });
      expect(await deliveriesOf(test.database, jobId)).toMatchObject([{ status: 'pending', last_error: null }]);
      await rows.settle(newest, { status: 200, error: null }, { status: 'delivered', retryInMs: null });
      expect(await deliveriesOf(test.database, jobId)).toMatchObject([{ status: 'delivered', attempts: 2, last_status: 200 }]);
    });
  });
});
