import { randomUUID } from 'node:crypto';
import { Ledger } from '#libs/credits/ledger.js';
import { toMicroCredits } from '#libs/credits/micro-credits.js';
import type { Database } from '#libs/database/database.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { Step, Variables } from '#libs/instruction-set/instruction-set.js';
import type { Lane } from '#libs/nodes/node.js';

export interface JobPlan {
  steps: Step[];
  variables?: Variables;
  userId?: string;
  generations?: number;
  price?: number;
  basePrice?: number;
  /** Credits granted first. Default: exactly what the job costs. */
  credits?: number;
  lane?: Lane;
  priority?: number;
  firstTurn?: number;
  options?: Record<string, unknown>;
}

export interface SubmittedJob {
  jobId: string;
  userId: string;
  generationIds: string[];
}

/** A paid job as a submission leaves it, without a collection. */
export async function submitJob(database: Database, plan: JobPlan): Promise<SubmittedJob> {
  const { generations = 1, price = 1, basePrice = 0, userId = randomUUID() } = plan;
  const ledger = new Ledger();
  const jobId = randomUUID();
  const rows = Array.from({ length: generations }, (_, index) => ({
    id: randomUUID(), index, hash: generateHash(), turn: (plan.firstTurn ?? 1) + index,
  }));
  await database.transaction(async (tx) => {
    const amount = toMicroCredits(plan.credits ?? price * generations + basePrice);
    await ledger.grant(tx, userId, { amount, key: `grant:${randomUUID()}` });
    await tx.query(
      `insert into job (id, user_id, name, job_type, priority, instruction_set, options, generations, base_price, seq)
       values ($1, $2, 'Test', 'collection_generation', $3, $4, $5, $6, $7, 1)`,
      [jobId, userId, plan.priority ?? 50, JSON.stringify(instructionSet(plan, rows)),
        JSON.stringify(plan.options ?? {}), generations, toMicroCredits(basePrice).toString()],
    );
    await tx.query(
      `insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
       select g.id, $1, $2, g.index, g.hash, $3, $4, g.turn, $5, now()
         from jsonb_to_recordset($6) as g (id uuid, index integer, hash text, turn bigint)`,
      [jobId, userId, plan.lane ?? 'default', plan.priority ?? 50, toMicroCredits(price).toString(),
        JSON.stringify(rows)],
    );
    await tx.query(
      `insert into job_history (job_id, user_id, seq, type, data) values ($1, $2, 1, 'job_queued', '{}')`,
      [jobId, userId],
    );
    await ledger.hold(tx, {
      userId, jobId, maxOpen: 10_000, breakdown: {},
      generations: rows.map(({ id }) => ({ id, run: 1, price: toMicroCredits(price) })),
      ...(basePrice > 0 && { base: { run: 1, price: toMicroCredits(basePrice) } }),
    });
  });
  return { jobId, userId, generationIds: rows.map(({ id }) => id) };
}

const instructionSet = (plan: JobPlan, rows: Array<{ hash: string }>) => ({
  version: 'v2',
  steps: plan.steps,
  generations: { hashes: rows.map(({ hash }) => hash), generations: rows.length, use_custom_hashes: false },
  variables: plan.variables ?? {},
});
