import type { Guard } from './guard.js';

const file = 'libs/database/migrations/1763700000000-initial.ts';

/** What Postgres itself refuses, whatever the code above it gets wrong. */
export const schemaGuards: Guard[] = [
  {
    name: 'schema: an account is never overdrawn',
    file,
    find: 'constraint account_never_overdrawn check (balance - held >= 0),',
    replace: '',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: nothing below zero is held',
    file,
    find: 'constraint account_held_not_negative check (held >= 0),',
    replace: '',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: no fewer than no generations are open',
    file,
    find: 'constraint account_open_not_negative check (open_generations >= 0),',
    replace: '',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: an entry of the ledger is made once',
    file,
    find: 'key text not null unique,\n    job_id uuid,',
    replace: 'key text not null,\n    job_id uuid,',
    red: ['libs/credits/ledger-model.spec.ts'],
  },
  {
    name: 'schema: a reservation is captured or released, never both',
    file,
    find: 'create unique index credit_entry_resolved_once',
    replace: 'create index credit_entry_resolved_once',
    red: ['libs/credits/ledger.spec.ts', 'libs/credits/ledger-model.spec.ts'],
  },
  {
    name: 'schema: usage is counted once per submission',
    file,
    find: 'key text not null unique,\n    generations integer not null,',
    replace: 'key text not null,\n    generations integer not null,',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: a user has one default project',
    file,
    find: 'create unique index project_one_default on project (user_id) where is_default',
    replace: 'create unique index project_one_default on project (user_id, id) where is_default',
    red: ['libs/submission/generate-collection.spec.ts'],
  },
  {
    name: 'schema: a step has one open attempt',
    file,
    find: 'create unique index step_run_one_open',
    replace: 'create index step_run_one_open',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: a step is finished once',
    file,
    find: 'create unique index step_run_one_finished',
    replace: 'create index step_run_one_finished',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: an attempt has a number of its own',
    file,
    find: 'started_at timestamptz not null default now(),\n    completed_at timestamptz,\n    unique (generation_id, step_id, attempt)',
    replace: 'started_at timestamptz not null default now(),\n    completed_at timestamptz',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: an event has a number of its own in its job',
    file,
    find: 'at timestamptz not null default clock_timestamp(),\n    primary key (job_id, seq)',
    replace: 'at timestamptz not null default clock_timestamp()',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
  {
    name: 'schema: one asset per place of a step',
    file,
    find: 'create unique index flat_file_once on flat_file (generation_id, step_id, index)',
    replace: 'create unique index flat_file_once on flat_file (generation_id, step_id, index, id)',
    red: ['libs/assets/asset-rows.spec.ts'],
  },
  {
    name: 'schema: a job counts no more ends than generations',
    file,
    find: ',\n    constraint job_counts check (completed + failed + cancelled <= generations)',
    replace: '',
    red: ['libs/database/migrations/constraints.spec.ts'],
  },
];
