import { Ledger } from '#libs/credits/ledger.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { jobRow } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { Expiry } from './expiry.js';

describe(Expiry.name, () => {
  let road: Road;
  let expiry: Expiry;
  beforeAll(async () => {
    road = await buildRoad();
    const { database, bus, control } = road;
    expiry = new Expiry(database, new JobTransactions(database, new Ledger(), bus), control);
  });
  afterAll(() => road.close());

  /** A record of the two-step face that expires in so many seconds. */
  async function record(seconds: number): Promise<string> {
    const { jobId, userId } = await road.submit({ steps: [{ id: 1, nodeName: 'echo', nodePayload: {} }] });
    await road.database.query(
      `insert into image_generation (id, user_id, face, request, prompt, expires_at)
       values ($1, $2, 'two_step', '{}', 'a fox', now() + make_interval(secs => $3))`,
      [jobId, userId, seconds],
    );
    return jobId;
  }
  const statusOf = async (jobId: string) => (await jobRow(road.database, jobId)).status;

  it('gives up what nobody has begun in time, and nothing else', async () => {
    const [due, later] = [await record(-1), await record(60)];
    expect(await expiry.sweep()).toBe(1);
    expect([await statusOf(due), await statusOf(later)]).toEqual(['cancelled', 'pending']);
    expect(await expiry.sweep()).toBe(0);
  });

  it('lets go of what is begun while it is being looked at', async () => {
    const jobId = await record(-1);
    const sweeping = await road.database.transaction(async (tx) => {
      await tx.query('select from job where id = $1 for update', [jobId]);
      const sweep = expiry.sweep();
      await eventually(async () => {
        const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        expect(await road.database.query(waiting)).toHaveLength(1);
      });
      await tx.query('update image_generation set begun_at = now(), expires_at = null where id = $1', [jobId]);
      return { sweep };
    });
    expect(await sweeping.sweep).toBe(1);
    expect(await statusOf(jobId)).toBe('pending');
  });
});
