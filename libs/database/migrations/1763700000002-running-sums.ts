import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a change of state reads is kept on the row that it locks anyway: the number of a job's steps, its
 * newest event's transaction, and the user's last turn in each lane. So one statement can change it all.
 */
export class RunningSums1763700000002 implements MigrationInterface {
  name = 'RunningSums1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `alter table job
     add column steps integer not null
       generated always as (greatest(jsonb_array_length(instruction_set -> 'steps'), 1)) stored,
     add column last_txid xid8 not null default pg_current_xact_id()`,
  // JSON { lane: turn }. Wrong only by what users had waiting before: their next turn counts from the lane's.
  `alter table account add column last_turns jsonb not null default '{}'`,
  'drop index generation_users_turn',
  // Without the lease's end in it, renewing a lease touches no index. Few generations run at any time.
  'drop index generation_leased',
  `create index generation_processing on generation (id) where status = 'processing'`,
];

const DOWN = [
  'drop index generation_processing',
  `create index generation_leased on generation (lease_until) where status = 'processing'`,
  'create index generation_users_turn on generation (user_id, lane, turn desc)',
  'alter table account drop column last_turns',
  'alter table job drop column last_txid, drop column steps',
];
