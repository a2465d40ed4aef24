import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { submitJob } from '../../test/factories/job.js';
import { Ledger } from '#libs/credits/ledger.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { testKeys } from '../../test/factories/keys.js';
import { EventLog, type LogPosition } from './event-log.js';
import type { EventBus } from './event-bus.js';

const silent = { publish: async () => {} } as unknown as EventBus;
const steps = [{ id: 1, nodeName: 'p5', nodePayload: {} }];
const START: LogPosition = { txid: '0', jobId: '00000000-0000-0000-0000-000000000000', seq: 0 };

describe('the log of all events of a user', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());

  it('keeps the order of a job whose changes compete for its row', async () => {
    const jobs = new JobTransactions(test.database, new Ledger(), silent);
    const { jobId, userId } = await submitJob(test.database, { steps });
    const emit = () => jobs.change(jobId, async (change) => change.emit('node_completed'));
    await Promise.all(Array.from({ length: 200 }, emit));
    const log = new EventLog(test.database, testKeys(test.database));
    // It tells nothing that is younger than the oldest open transaction, be it another test's.
    await eventually(async () => {
      const logged = await log.afterPosition({ userId }, START, 1_000);
      expect(logged.map(({ event }) => event.seq)).toEqual(Array.from({ length: 201 }, (_, index) => index + 1));
    }, 15_000);
  });
});
