import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { Ledger } from '#libs/credits/ledger.js';
import { toMicroCredits } from '#libs/credits/micro-credits.js';
import { Plans } from '#libs/credits/plans.js';
import type { Database } from '#libs/database/database.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import type { JobSubmission } from '#libs/submission/job-submission.js';

/** A user with an account and, if asked for, credits. */
export async function createUser(database: Database, credits = 0): Promise<string> {
  const userId = randomUUID();
  const ledger = new Ledger();
  await ledger.open(database, userId);
  if (credits > 0) {
    const grant = { amount: toMicroCredits(credits), key: `grant:${randomUUID()}` };
    await database.transaction((tx) => ledger.grant(tx, userId, grant));
  }
  return userId;
}

/** A job of one free generation, apart from what `differs`. `count` makes it several. */
export function buildSubmission(
  userId: string,
  { count = 1, ...differs }: Partial<JobSubmission> & { count?: number } = {},
): JobSubmission {
  return {
    id: uuidv7(),
    userId,
    collectionId: null,
    workflow: null,
    name: 'A job',
    description: null,
    type: 'collection_generation',
    face: 'collections',
    starts: true,
    priority: 50,
    plan: new Plans({}).of({ plan: 'free', price_id: null }),
    instructionSet: {
      version: 'v2',
      steps: [{ id: 1, nodeName: 'javascript', nodePayload: { code: 'return 1' } }],
      generations: { hashes: [], generations: count, use_custom_hashes: false },
      variables: {},
    },
    options: {},
    lane: 'default',
    generations: Array.from({ length: count }, () => ({ id: uuidv7(), hash: generateHash() })),
    price: { base: 0n, perGeneration: 0n },
    breakdown: { total_credits: 0, per_generation: 0, workflow_base_cost: 0 },
    tags: [],
    externalId: null,
    webhook: null,
    ...differs,
  };
}
