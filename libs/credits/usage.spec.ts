import { Submissions } from '#libs/submission/submissions.js';
import { buildSubmission, createUser } from '../../test/factories/job-submission.js';
import { AnnouncedMessages, AnnouncedWakeUps } from '../../test/factories/submitting.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { Ledger } from './ledger.js';
import { giveBackUsage, readMonthlyUsage } from './usage.js';

describe('the debit of a submission', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());

  const submitted = async () => {
    const userId = await createUser(db.database);
    const job = buildSubmission(userId, { face: 'v1' });
    const submissions = new Submissions(db.database, new Ledger(), new AnnouncedWakeUps(), new AnnouncedMessages());
    await db.database.transaction((tx) => submissions.submit(tx, job));
    return { userId, giveBack: () => db.database.transaction((tx) => giveBackUsage(tx, job.id)) };
  };
  const counted = async (userId: string) => {
    const [account] = await db.database.query<{ used: number }>(
      'select usage_generations as used from account where user_id = $1', [userId]);
    return [account?.used, (await readMonthlyUsage(db.database, userId)).used];
  };

  it('is given back once, however often it is asked', async () => {
    const { userId, giveBack } = await submitted();
    expect(await counted(userId)).toEqual([1, 1]);
    await giveBack();
    await Promise.all([giveBack(), giveBack()]);
    expect(await counted(userId)).toEqual([0, 0]);
  });

  it('is given back to the month that it was made in', async () => {
    const { userId, giveBack } = await submitted();
    await db.database.query(
      `update account set usage_month = usage_month + interval '1 month', usage_generations = 3 where user_id = $1`, [userId]);
    await giveBack();
    expect(await counted(userId)).toEqual([3, 0]);
  });
});
