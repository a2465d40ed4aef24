import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the public list of collections is found by, and the files of one that is deleted. */
export class CollectionLife1763700000007 implements MigrationInterface {
  name = 'CollectionLife1763700000007';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  'create extension if not exists pg_trgm',
  `create index collection_public_text on collection
     using gin ((coalesce(title, '') || ' ' || coalesce(description, '')) gin_trgm_ops)
     where status = 'published' and not archived`,
  `create index collection_public_on_chain on collection (blockchain, created_at desc, id desc)
     where status = 'published' and not archived`,
  'create index flat_file_in_collection on flat_file (collection_id) where collection_id is not null',
];

/** The extension stays: others of this database may use it. */
const DOWN = [
  'drop index flat_file_in_collection',
  'drop index collection_public_on_chain',
  'drop index collection_public_text',
];
