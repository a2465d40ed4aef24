import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Encrypted collections: the key of each, wrapped, goes with its row. What is encrypted cannot be written as it is: a
 * path that forgot to seal fails.
 */
export class Encryption1763700000009 implements MigrationInterface {
  name = 'Encryption1763700000009';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // None could be made before.
  `update collection set encryption_enabled = false where encryption_enabled`,
  `alter table collection
     add column wrapped_key bytea,
     -- The name of the one that it is wrapped under.
     add column master_key text,
     add constraint collection_encrypted check (not encryption_enabled or (
       wrapped_key is not null and master_key is not null and (data is null or data ? '$enc')))`,
  'create index collection_wrapped on collection (master_key, id) where wrapped_key is not null',
  `alter table job
     add column encrypted boolean not null default false,
     add constraint job_encrypted check (not encrypted or instruction_set ? '$enc')`,
];

const DOWN = [
  'alter table job drop constraint job_encrypted, drop column encrypted',
  'drop index collection_wrapped',
  'alter table collection drop constraint collection_encrypted, drop column master_key, drop column wrapped_key',
];
