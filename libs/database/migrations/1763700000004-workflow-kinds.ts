import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What stored workflows of every kind need: the author of each version (whose secrets its steps use, also after
 * the workflow is gone), shared option lists, sealed secrets, and an inbox for what webhooks bring.
 */
export class WorkflowKinds1763700000004 implements MigrationInterface {
  name = 'WorkflowKinds1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  'alter table workflow_version add column user_id uuid',
  'update workflow_version v set user_id = w.user_id from workflow w where w.id = v.workflow_id',
  'alter table workflow_version alter column user_id set not null',
  `create table form_config (
    id uuid primary key,
    name text not null unique,
    options jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create table secret (
    user_id uuid not null,
    name text not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (user_id, name)
  )`,
  // What came in once. A webhook that is sent again finds its row.
  `create table webhook_inbox (
    provider text not null,
    id text not null,
    step_token uuid,
    body jsonb not null,
    received_at timestamptz not null default now(),
    primary key (provider, id)
  )`,
  'create index webhook_inbox_of_step on webhook_inbox (step_token) where step_token is not null',
  'create index webhook_inbox_by_age on webhook_inbox (received_at)',
];

const DOWN = [
  'drop table webhook_inbox',
  'drop table secret',
  'drop table form_config',
  'alter table workflow_version drop column user_id',
];
