import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../../test/setup/database.js';
import { submitJob, type SubmittedJob } from '../../../test/factories/job.js';
import { sqlState } from '../database.js';

/*
 * The last line of defence: what the schema refuses although the code above asks for it. No test of that
 * code gets here, which is why these ask by hand.
 */
describe('what the schema refuses', () => {
  let test: TestDatabase;
  let job: SubmittedJob;

  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    job = await submitJob(test.database, { steps: [{ id: 1, nodeName: 'echo', nodePayload: {} }] });
  });

  const refused = (sql: string, parameters: unknown[]) =>
    test.database.query(sql, parameters).then(() => 'taken', sqlState);
  const begin = (attempt: number, status = 'running') =>
    refused(
      `insert into step_run (generation_id, run, step_id, attempt, node, status, token)
       values ($1, 1, 1, $2, 'echo', $3, $4)`,
      [job.generationIds[0], attempt, status, randomUUID()],
    );

  it('more credits set aside than there are', async () => {
    const { userId } = job;
    expect(await refused('update account set held = held + 1 where user_id = $1', [userId])).toBe('23514');
    expect(await refused('update account set balance = balance - 1 where user_id = $1', [userId])).toBe('23514');
  });

  it('counts below zero: of what is set aside, of what is open', async () => {
    const lower = (column: string) => refused(`update account set ${column} = -1 where user_id = $1`, [job.userId]);
    expect([await lower('held'), await lower('open_generations'), await lower('in_flight')])
      .toEqual(['23514', '23514', '23514']);
  });

  it('a second open attempt of a step, and a second finished one', async () => {
    expect([await begin(1), await begin(2), await begin(2, 'waiting')]).toEqual(['taken', '23505', '23505']);
    expect([await begin(2, 'completed'), await begin(3, 'completed')]).toEqual(['taken', '23505']);
  });

  it('two attempts of one number', async () => {
    expect([await begin(1, 'failed'), await begin(1, 'failed')]).toEqual(['taken', '23505']);
  });

  it('two events of one number in a job', async () => {
    const event = `insert into job_history (job_id, user_id, seq, type, data) values ($1, $2, $3, 'job_started', '{}')`;
    const record = (seq: number) => refused(event, [job.jobId, job.userId, seq]);
    expect([await record(1), await record(2), await record(2)]).toEqual(['23505', 'taken', '23505']);
  });

  it('a job in which more generations ended than it has', async () => {
    const count = 'update job set completed = $2, failed = 1 where id = $1';
    expect([await refused(count, [job.jobId, 0]), await refused(count, [job.jobId, 1])]).toEqual(['taken', '23514']);
  });

  it('usage that is counted twice for one submission', async () => {
    const use = `insert into usage_entry (user_id, face, job_id, key, generations) values ($1, 'v1', $2, $3, 1)`;
    const count = () => refused(use, [job.userId, job.jobId, `job:${job.jobId}:submit`]);
    expect([await count(), await count()]).toEqual(['taken', '23505']);
  });
});
