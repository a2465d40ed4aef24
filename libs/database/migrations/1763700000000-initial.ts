import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The whole road: accounts and ledger, workflows, collections, jobs with their generations, step runs
 * and events, assets, idempotency keys and API keys. Credits are whole micro-credits (1 credit = 1,000,000).
 */
export class Initial1763700000000 implements MigrationInterface {
  name = 'Initial1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table ${TABLES.join(', ')} cascade`);
  }
}

const TABLES = [
  'account', 'credit_entry', 'usage_entry', 'api_key', 'idempotency_key', 'project', 'workflow', 'workflow_version',
  'collection', 'collection_preview', 'collection_history', 'component', 'job', 'generation', 'step_run',
  'job_history', 'stream_token', 'flat_file', 'component_flat_file',
];

const STATEMENTS = [
  // Accounts and money ------------------------------------------------------------------------------
  `create table account (
    user_id uuid primary key,
    plan text not null default 'free',
    price_id text,
    balance bigint not null default 0,
    held bigint not null default 0,
    open_generations integer not null default 0,
    in_flight integer not null default 0,
    created_at timestamptz not null default now(),
    constraint account_never_overdrawn check (balance - held >= 0),
    constraint account_held_not_negative check (held >= 0),
    constraint account_open_not_negative check (open_generations >= 0),
    constraint account_in_flight_not_negative check (in_flight >= 0)
  )`,
  `create table credit_entry (
    id bigint generated always as identity primary key,
    user_id uuid not null references account,
    type text not null check (type in ('grant', 'hold', 'capture', 'release', 'refund', 'adjust')),
    amount bigint not null check (type = 'adjust' or amount >= 0),
    balance_after bigint not null,
    held_after bigint not null,
    key text not null unique,
    job_id uuid,
    generation_id uuid,
    description text,
    created_at timestamptz not null default now()
  )`,
  `create index credit_entry_of_user on credit_entry (user_id, id desc)`,
  `create index credit_entry_of_job on credit_entry (job_id)`,
  // One resolution per reservation: a hold is captured or released, never both.
  `create unique index credit_entry_resolved_once on credit_entry
     (regexp_replace(key, ':(capture|release)$', '')) where type in ('capture', 'release')`,
  `create table usage_entry (
    id bigint generated always as identity primary key,
    user_id uuid not null references account,
    face text not null check (face in ('collections', 'two_step', 'v1')),
    job_id uuid not null,
    key text not null unique,
    generations integer not null,
    created_at timestamptz not null default now()
  )`,
  `create index usage_entry_of_user on usage_entry (user_id, created_at)`,
  `create table api_key (
    id uuid primary key,
    user_id uuid not null,
    name text not null,
    prefix text not null,
    digest bytea not null unique,
    role text not null default 'user' check (role in ('user', 'admin')),
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  `create index api_key_of_user on api_key (user_id, created_at desc)`,
  `create table idempotency_key (
    user_id uuid not null,
    route text not null,
    key text not null,
    fingerprint text not null,
    status integer,
    body text,
    created_at timestamptz not null default now(),
    primary key (user_id, route, key)
  )`,
  `create index idempotency_key_by_age on idempotency_key (created_at)`,

  // Workflows and collections -----------------------------------------------------------------------
  `create table project (
    id uuid primary key,
    user_id uuid not null,
    name text not null,
    is_default boolean not null default false,
    version text not null default 'v2',
    created_at timestamptz not null default now()
  )`,
  `create index project_of_user on project (user_id, created_at desc, id)`,
  `create unique index project_one_default on project (user_id) where is_default`,
  `create table workflow (
    id uuid primary key,
    user_id uuid not null,
    name text not null unique,
    label text,
    description text,
    type text not null,
    output_mime_type text,
    visibility text not null default 'private' check (visibility in ('private', 'public')),
    tags text[] not null default '{}',
    version integer not null default 1,
    data jsonb not null,
    saved_by_admin boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create index workflow_of_user on workflow (user_id, created_at desc, id)`,
  `create index workflow_public on workflow (created_at desc, id) where visibility = 'public'`,
  `create index workflow_by_tag on workflow using gin (tags)`,
  `create table workflow_version (
    workflow_id uuid not null,
    version integer not null,
    name text not null,
    label text,
    type text not null,
    output_mime_type text,
    data jsonb not null,
    saved_by_admin boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (workflow_id, version)
  )`,
  `create table collection (
    id uuid primary key,
    user_id uuid not null,
    project_id uuid not null references project,
    title text,
    description text,
    status text not null default 'draft' check (status in ('draft', 'published')),
    data jsonb,
    images jsonb not null default '[]',
    cover_image_url text,
    editions integer check (editions between 1 and 10000),
    price numeric check (price >= 0),
    currency text,
    blockchain text check (blockchain in ('ETHEREUM', 'BASE', 'TEZOS')),
    publish_date timestamptz,
    archived boolean not null default false,
    batch_mint_enabled boolean not null default false,
    batch_max_tokens integer check (batch_max_tokens between 1 and 1000),
    encryption_enabled boolean not null default false,
    is_current boolean not null default true,
    remixable boolean not null default false,
    auto_publish boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create index collection_of_user on collection (user_id, created_at desc, id)`,
  `create index collection_of_project on collection (project_id)`,
  `create index collection_public on collection (created_at desc, id) where status = 'published' and not archived`,
  `create index collection_to_publish on collection (id) where auto_publish and status = 'draft'`,
  `create table collection_preview (
    collection_id uuid primary key references collection on delete cascade,
    cover_image_url text,
    images jsonb not null default '[]',
    updated_at timestamptz not null default now()
  )`,
  `create table collection_history (
    id bigint generated always as identity primary key,
    collection_id uuid not null references collection on delete cascade,
    user_id uuid not null,
    action text not null,
    data jsonb,
    created_at timestamptz not null default now()
  )`,
  `create index collection_history_of_collection on collection_history (collection_id, id desc)`,
  `create table component (
    id bigserial primary key,
    collection_id uuid not null references collection on delete cascade,
    created_at timestamptz not null default now()
  )`,
  `create index component_of_collection on component (collection_id)`,

  // Jobs --------------------------------------------------------------------------------------------
  `create table job (
    id uuid primary key,
    user_id uuid not null references account,
    collection_id uuid references collection on delete set null,
    workflow_id uuid,
    workflow_version integer,
    name text not null,
    description text,
    job_type text not null,
    status text not null default 'pending'
      check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    priority integer not null check (priority between 1 and 100),
    instruction_set jsonb not null,
    options jsonb not null default '{}',
    tags text[] not null default '{}',
    external_id text,
    seq bigint not null default 0,
    progress real not null default 0,
    steps_done integer not null default 0,
    generations integer not null,
    completed integer not null default 0,
    failed integer not null default 0,
    cancelled integer not null default 0,
    base_price bigint not null default 0 check (base_price >= 0),
    base_run integer not null default 1,
    base_status text not null default 'held' check (base_status in ('held', 'captured', 'released')),
    error jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    constraint job_counts check (completed + failed + cancelled <= generations)
  )`,
  `create index job_of_user on job (user_id, created_at desc, id)`,
  `create index job_of_collection on job (collection_id, created_at desc, id)`,
  `create index job_by_tag on job using gin (tags)`,
  `create index job_by_external_id on job (user_id, external_id) where external_id is not null`,
  `create index job_durations on job (workflow_id, completed_at desc) where status = 'completed'`,
  `create table generation (
    id uuid primary key,
    job_id uuid not null references job on delete cascade,
    user_id uuid not null,
    index integer not null,
    hash text not null,
    status text not null default 'pending'
      check (status in ('pending', 'processing', 'waiting', 'completed', 'failed', 'cancelled')),
    lane text not null check (lane in ('chromium', 'provider', 'default')),
    priority integer not null,
    turn bigint not null,
    run integer not null default 1,
    price bigint not null check (price >= 0),
    wake_at timestamptz,
    wake_seq bigint not null default 1,
    lease bigint not null default 0,
    lease_until timestamptz,
    leased_by text,
    alone boolean not null default false,
    breaks integer not null default 0,
    progress real not null default 0,
    values jsonb,
    traits jsonb not null default '[]',
    error jsonb,
    deadline_at timestamptz,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    unique (job_id, index)
  )`,
  `create index generation_queue on generation (lane, priority desc, turn, id) where status = 'pending'`,
  `create index generation_waiting on generation (lane, wake_at) where status = 'waiting'`,
  `create index generation_leased on generation (lease_until) where status = 'processing'`,
  `create index generation_deadline on generation (deadline_at)
     where status in ('pending', 'processing', 'waiting') and deadline_at is not null`,
  `create index generation_users_turn on generation (user_id, lane, turn desc)`,
  `create index generation_lanes_turn on generation (lane, turn desc) where started_at is not null`,
  `create index generation_by_hash on generation (hash, completed_at desc) where status = 'completed'`,
  `create table step_run (
    id bigint generated always as identity primary key,
    generation_id uuid not null references generation on delete cascade,
    run integer not null,
    step_id bigint not null,
    attempt integer not null,
    node text not null,
    alias text,
    status text not null default 'running'
      check (status in ('running', 'waiting', 'completed', 'failed', 'cancelled')),
    token uuid not null,
    input_digest text,
    reference jsonb,
    output jsonb,
    logs jsonb not null default '[]',
    progress real not null default 0,
    error jsonb,
    alone boolean not null default false,
    wake_at timestamptz,
    deadline_at timestamptz,
    external_cancel_due boolean not null default false,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    unique (generation_id, step_id, attempt)
  )`,
  `create unique index step_run_by_token on step_run (token)`,
  // A step has one open attempt and one finished one at most: no step is done twice.
  `create unique index step_run_one_open on step_run (generation_id, step_id) where status in ('running', 'waiting')`,
  `create unique index step_run_one_finished on step_run (generation_id, step_id) where status = 'completed'`,
  `create index step_run_external_cancel on step_run (generation_id) where external_cancel_due`,
  `create table job_history (
    job_id uuid not null references job on delete cascade,
    seq bigint not null,
    user_id uuid not null,
    type text not null,
    data jsonb not null,
    txid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    primary key (job_id, seq)
  )`,
  `create index job_history_of_user on job_history (user_id, txid, job_id, seq)`,
  // What a browser puts into the address of an event stream. Only its digest is kept.
  `create table stream_token (
    digest bytea primary key,
    user_id uuid not null,
    job_id uuid not null references job on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz
  )`,
  `create index stream_token_by_age on stream_token (user_id, created_at)`,
  `create index stream_token_of_job on stream_token (job_id)`,

  // Assets ------------------------------------------------------------------------------------------
  `create table flat_file (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    collection_id uuid references collection on delete set null,
    job_id uuid references job on delete set null,
    generation_id uuid references generation on delete set null,
    step_id bigint,
    index integer,
    name text not null,
    storage_key text not null,
    url text,
    thumbnail_url text,
    mime_type text,
    size bigint not null,
    sha256 text not null,
    width integer,
    height integer,
    duration real,
    gen_in_data jsonb,
    gen_out_data jsonb,
    shown boolean not null default false,
    created_at timestamptz not null default now(),
    deleted_at timestamptz
  )`,
  `create unique index flat_file_once on flat_file (generation_id, step_id, index) where deleted_at is null`,
  `create index flat_file_of_user on flat_file (user_id, id desc) where shown and deleted_at is null`,
  `create index flat_file_of_collection on flat_file (collection_id, id) where shown and deleted_at is null`,
  `create index flat_file_by_key on flat_file (storage_key)`,
  `create index flat_file_deleted on flat_file (deleted_at) where deleted_at is not null`,
  `create table component_flat_file (
    id bigint generated always as identity primary key,
    component_id bigint not null references component on delete cascade,
    flat_file_id bigint not null references flat_file on delete cascade,
    unique (component_id, flat_file_id)
  )`,
  `create index component_flat_file_of_file on component_flat_file (flat_file_id)`,
];
