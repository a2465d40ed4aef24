import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Indexes for what would otherwise read all of a user's, or of everyone's, history: jobs by a status that few
 * have, generations that must run alone, generations counted against a month.
 */
export class BoundedReads1763700000003 implements MigrationInterface {
  name = 'BoundedReads1763700000003';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // Most jobs have completed: those are found by their owner and time alone.
  `create index job_not_completed on job (user_id, status, created_at desc, id desc) where status <> 'completed'`,
  `create index generation_alone on generation (lane, wake_at) where alone and status in ('pending', 'waiting')`,
  'drop index usage_entry_of_user',
  `create index usage_entry_of_month on usage_entry (user_id, created_at) include (generations)
     where face in ('two_step', 'v1')`,
];

const DOWN = [
  'drop index usage_entry_of_month',
  'create index usage_entry_of_user on usage_entry (user_id, created_at)',
  'drop index generation_alone',
  'drop index job_not_completed',
];
