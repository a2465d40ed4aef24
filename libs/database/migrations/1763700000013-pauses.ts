import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pauses of operators, and a mark on each generation that one of them holds back: marked ones are in none of the
 * indexes that claims go by, so that a claim costs the same however many wait behind a pause.
 */
export class Pauses1763700000013 implements MigrationInterface {
  name = 'Pauses1763700000013';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // `subject`: the lane's name, or the id of the workflow or user; empty for all there is.
  `create table pause (
    id uuid primary key,
    scope text not null check (scope in ('all', 'lane', 'workflow', 'user')),
    subject text not null,
    mode text not null check (mode in ('pause', 'drain')),
    reason text not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    until timestamptz,
    lifted_at timestamptz,
    lifted_by uuid
  )`,
  'create unique index pause_in_force on pause (scope, subject) where lifted_at is null',
  // What operators did, for whoever asks later.
  `create table operator_action (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    verb text not null,
    target jsonb not null,
    details jsonb not null default '{}',
    at timestamptz not null default now()
  )`,
  'create index operator_action_by_age on operator_action (at)',
  'alter table generation add column paused_by uuid references pause, add column paused_at timestamptz',
  'create index generation_paused on generation (paused_by, user_id) where paused_by is not null',
  'drop index generation_queue',
  `create index generation_queue on generation (lane, priority desc, turn, id)
     where status = 'pending' and wake_at is not null and paused_by is null`,
  'drop index generation_waiting',
  `create index generation_waiting on generation (lane, wake_at) where status = 'waiting' and paused_by is null`,
  'drop index generation_alone',
  `create index generation_alone on generation (lane, wake_at)
     where alone and status in ('pending', 'waiting') and paused_by is null`,
];

const DOWN = [
  'drop index generation_alone',
  `create index generation_alone on generation (lane, wake_at) where alone and status in ('pending', 'waiting')`,
  'drop index generation_waiting',
  `create index generation_waiting on generation (lane, wake_at) where status = 'waiting'`,
  'drop index generation_queue',
  `create index generation_queue on generation (lane, priority desc, turn, id)
     where status = 'pending' and wake_at is not null`,
  'alter table generation drop column paused_at, drop column paused_by',
  'drop table operator_action',
  'drop table pause',
];
