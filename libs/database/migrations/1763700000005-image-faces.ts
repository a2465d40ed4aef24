import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the two-step and v1 faces need: what a job counts against, the month's usage on the account's row (so that
 * the row's lock decides who is over the quota), and what those faces say of their generations.
 */
export class ImageFaces1763700000005 implements MigrationInterface {
  name = 'ImageFaces1763700000005';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `alter table job
     add column face text not null default 'collections' check (face in ('collections', 'two_step', 'v1')),
     -- Counted by the account's in_flight; else by its open_generations.
     add column in_flight boolean not null default false`,
  // Of the first day (UTC) of the month: generations of v1 and two-step, less what was given back.
  `alter table account
     add column usage_month date not null default '1970-01-01',
     add column usage_generations integer not null default 0,
     add constraint account_usage_not_negative check (usage_generations >= 0)`,
  `update account a set usage_month = u.month, usage_generations = u.generations
     from (select user_id, date_trunc('month', now(), 'UTC')::date as month, sum(generations)::integer as generations
             from usage_entry where face <> 'collections' and created_at >= date_trunc('month', now(), 'UTC')
            group by user_id) as u
    where a.user_id = u.user_id`,
  // One per job of these faces, whose id it has.
  `create table image_generation (
    id uuid primary key references job on delete cascade,
    user_id uuid not null,
    face text not null check (face in ('two_step', 'v1')),
    request jsonb not null,
    prompt text not null,
    -- When a record of the two-step face is given up unless it was begun before.
    expires_at timestamptz,
    begun_at timestamptz,
    polled_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz not null default now()
  )`,
  `create index image_generation_of_user on image_generation (user_id, face, created_at desc, id desc)
     where deleted_at is null`,
  `create index image_generation_expiry on image_generation (expires_at) where expires_at is not null`,
  // Records that wait for their user to begin them are no part of the queue.
  'drop index generation_queue',
  `create index generation_queue on generation (lane, priority desc, turn, id)
     where status = 'pending' and wake_at is not null`,
  // A provider's webhook names its prediction. A column of its own: the rest of a reference changes at every look.
  `alter table step_run add column prediction text generated always as (reference ->> 'prediction') stored`,
  'create index step_run_prediction on step_run (prediction) where prediction is not null',
  // A render is named after the attempt that made it.
  `create index step_run_render on step_run (md5(token::text)) where node = 'replicate'`,
];

const DOWN = [
  'drop index step_run_render',
  'alter table step_run drop column prediction',
  'drop index generation_queue',
  `create index generation_queue on generation (lane, priority desc, turn, id) where status = 'pending'`,
  'drop table image_generation',
  'alter table account drop column usage_generations, drop column usage_month',
  'alter table job drop column in_flight, drop column face',
];
