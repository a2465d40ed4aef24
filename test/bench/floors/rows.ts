import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { v7 as uuid } from 'uuid';

/** What a bare submission writes: one job, its generations, its money. */
export interface BareSubmission {
  userId: string;
  title: string;
  workflowId: string;
  generations: number;
  /** Of the submission: a second one with it would be refused. */
  key: string;
}

export interface BareJob {
  jobId: string;
  collectionId: string;
  generationIds: string[];
}

/** What a generation costs, in micro-credits. */
export const PRICE = 1_000_000;

/** As long as what Platen stores of a workflow of one step. */
const INSTRUCTION_SET = JSON.stringify({
  version: 'v2',
  steps: [{ id: 1, nodeName: 'prompt', nodePayload: { template: 'nothing' } }],
  generations: { hashes: [], generations: 1, use_custom_hashes: false },
  variables: {},
});

/** The floor's own memory of what was handed to the queue. Everything else are the product's tables. */
export const OUTBOX = 'create table bare_outbox (job_id uuid primary key, dispatched_at timestamptz)';

/** An account per user, with more credits than a benchmark can spend, and a project per user. */
export async function createUsers(db: ClientBase, count: number): Promise<string[]> {
  const users = Array.from({ length: count }, () => uuid());
  await db.query(
    'insert into account (user_id, balance) select unnest($1::uuid[]), 1000000000000000', [users],
  );
  await db.query(
    `insert into project (id, user_id, name, is_default) select id, id, 'Default', true from unnest($1::uuid[]) as id`,
    [users],
  );
  return users;
}

/**
 * The plain transaction: eight statements between `begin` and `commit`, one after another, as anybody would
 * write them first.
 */
export async function insertSubmission(db: ClientBase, submission: BareSubmission): Promise<BareJob> {
  const { userId, title, workflowId, generations, key } = submission;
  const job = { jobId: uuid(), collectionId: uuid(), generationIds: Array.from({ length: generations }, () => uuid()) };
  const { jobId, collectionId, generationIds } = job;
  const price = PRICE * generations;
  await db.query('begin');
  await db.query(
    `insert into idempotency_key (user_id, route, key, fingerprint, status, body) values ($1, 'submit', $2, $3, 201, $4)`,
    [userId, key, createHash('sha256').update(title + workflowId).digest('hex'), JSON.stringify(job)],
  );
  const { rows: [account] } = await db.query<{ balance: string; held: string }>(
    `update account set held = held + $2, open_generations = open_generations + $3
      where user_id = $1 and balance - held >= $2 returning balance, held`,
    [userId, price, generations],
  );
  if (!account) throw new Error('insufficient credits');
  await db.query(
    `insert into credit_entry (user_id, type, amount, balance_after, held_after, key, job_id)
     values ($1, 'hold', $2, $3, $4, $5, $6)`,
    [userId, price, account.balance, account.held, `job:${jobId}:hold`, jobId],
  );
  await db.query(
    'insert into collection (id, user_id, project_id, title, data) values ($1, $2, $2, $3, $4)',
    [collectionId, userId, title, INSTRUCTION_SET],
  );
  await db.query(
    `insert into job (id, user_id, collection_id, workflow_id, workflow_version, name, job_type, priority,
                      instruction_set, seq, generations)
     values ($1, $2, $3, $4, 1, $5, 'collection_auto_generation', 50, $6, 1, $7)`,
    [jobId, userId, collectionId, workflowId, title, INSTRUCTION_SET, generations],
  );
  await db.query(
    `insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
     select id, $2, $3, place - 1, encode(sha256(id::text::bytea), 'hex'), 'default', 50, place, $4, now()
       from unnest($1::uuid[]) with ordinality as g (id, place)`,
    [generationIds, jobId, userId, PRICE],
  );
  await db.query(
    `insert into job_history (job_id, seq, user_id, type, data) values ($1, 1, $2, 'job_queued', '{"status": "pending"}')`,
    [jobId, userId],
  );
  await db.query('insert into bare_outbox (job_id) values ($1)', [jobId]);
  await db.query('commit');
  return job;
}

/** Notes that the queue has the job. */
export const markDispatched = 'update bare_outbox set dispatched_at = now() where job_id = $1';
