import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Webhooks that jobs send: where to and of which events, what was sent of them, which addresses want no more, and
 * the secrets that they are signed with. What is sent is made of the event's row: no copy of it is kept.
 */
export class Deliveries1763700000006 implements MigrationInterface {
  name = 'Deliveries1763700000006';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `create table webhook (
    job_id uuid primary key references job on delete cascade,
    user_id uuid not null,
    url text not null,
    host text not null,
    events text[] not null,
    -- Events up to this number have their deliveries.
    seq bigint not null default 0,
    -- More events can come, or have come: the job is open, or was resumed.
    watched boolean not null default true
  )`,
  'create index webhook_watched on webhook (job_id) where watched',
  // By digest: an address may be longer than what an index takes.
  'create index webhook_of_address on webhook (user_id, md5(url))',
  `create table delivery (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null references webhook on delete cascade,
    user_id uuid not null,
    host text not null,
    seq bigint not null,
    type text not null,
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'disabled')),
    attempts integer not null default 0,
    -- Made before it was last asked for again: retries are counted from there.
    earlier_attempts integer not null default 0,
    -- While it is being sent: when it counts as lost, and is sent again.
    next_at timestamptz not null default now(),
    last_status integer,
    last_error text,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    unique (job_id, seq)
  )`,
  `create index delivery_due on delivery (next_at) where status = 'pending'`,
  // Addresses that answered 410.
  `create table webhook_gone (
    user_id uuid not null,
    url_digest text not null,
    gone_at timestamptz not null default now(),
    primary key (user_id, url_digest)
  )`,
  `create table webhook_secret (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    -- Null: the current one. Others sign along until then.
    expires_at timestamptz
  )`,
  'create unique index webhook_secret_current on webhook_secret (user_id) where expires_at is null',
  'create index webhook_secret_of_user on webhook_secret (user_id, id desc)',
];

const DOWN = ['drop table webhook_secret', 'drop table webhook_gone', 'drop table delivery', 'drop table webhook'];
