import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { v7 as uuid } from 'uuid';
import { given, serveBench } from '../child.js';
import { PRICE } from './rows.js';

/*
 * What a generation costs with nothing but the libraries: BullMQ hands it over, one statement claims it,
 * one stores each step's result, one transaction takes the money and ends the job, Redis tells of it.
 */
interface Run {
  generationId: string;
  jobId: string;
  userId: string;
  /** How many steps that do nothing; 1 where it is not said. */
  steps?: number;
  /** How many of them may run at once: 1 is a chain. */
  abreast?: number;
}

const CONCURRENCY = 10;
const CHANNEL = 'bare-events';
const pool = new pg.Pool({ connectionString: given('DATABASE_URL'), max: 20 });
const publisher = new Redis(given('REDIS_URL'));
const connection = new Redis(given('REDIS_URL'), { maxRetriesPerRequest: null });

const CLAIM = `
  update generation set status = 'processing', lease = lease + 1, lease_until = now() + interval '10 s', started_at = now()
   where id = $1 and status = 'pending' returning id`;
const CHECKPOINT = `
  insert into step_run (generation_id, run, step_id, attempt, node, status, token, output, completed_at)
  values ($1, 1, $2, 1, 'nothing', 'completed', $3, '{"value": "nothing"}', now())`;

async function run({ data }: { data: Run }): Promise<void> {
  const { rowCount } = await pool.query(CLAIM, [data.generationId]);
  if (rowCount === 0) return;
  const steps = Array.from({ length: data.steps ?? 1 }, (_, step) => step + 1);
  const next = async () => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) await checkpoint(data, step);
  };
  await Promise.all(Array.from({ length: data.abreast ?? 1 }, next));
  await finish(data);
}

async function checkpoint({ generationId, jobId }: Run, step: number): Promise<void> {
  await pool.query(CHECKPOINT, [generationId, step, uuid()]);
  await publisher.publish(CHANNEL, JSON.stringify({ type: 'node_completed', job_id: jobId, step_id: step }));
}

async function finish({ generationId, jobId, userId }: Run): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `update generation set status = 'completed', progress = 100, completed_at = clock_timestamp(), lease_until = null
        where id = $1 and status = 'processing'`,
      [generationId],
    );
    const { rows: [job] } = await client.query<{ seq: string; done: boolean }>(
      `update job set completed = completed + 1, seq = seq + 1, progress = 100.0 * (completed + 1) / generations,
              status = case when completed + 1 = generations then 'completed' else 'processing' end,
              completed_at = case when completed + 1 = generations then clock_timestamp() end
        where id = $1 returning seq, status = 'completed' as done`,
      [jobId],
    );
    const { rows: [account] } = await client.query<{ balance: string; held: string }>(
      `update account set balance = balance - $2, held = held - $2, open_generations = open_generations - 1
        where user_id = $1 returning balance, held`,
      [userId, PRICE],
    );
    await client.query(
      `insert into credit_entry (user_id, type, amount, balance_after, held_after, key, job_id, generation_id)
       values ($1, 'capture', $2, $3, $4, $5, $6, $7)`,
      [userId, PRICE, account?.balance, account?.held, `gen:${generationId}:capture`, jobId, generationId],
    );
    const type = job?.done ? 'job_completed' : 'generation_completed';
    await client.query('insert into job_history (job_id, seq, user_id, type, data) values ($1, $2, $3, $4, $5)', [
      jobId, job?.seq, userId, type, JSON.stringify({ generation_id: generationId, status: 'completed' }),
    ]);
    await client.query('commit');
    await publisher.publish(CHANNEL, JSON.stringify({ type, job_id: jobId }));
  } finally {
    client.release();
  }
}

const worker = new Worker<Run>('bare', run, { connection, concurrency: CONCURRENCY });
worker.on('failed', (_job, error) => process.stderr.write(`${error.stack}\n`));
await worker.waitUntilReady();
serveBench('to run');
