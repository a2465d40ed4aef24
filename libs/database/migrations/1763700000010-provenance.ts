import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Jobs that make a file again, and how what they made compares with what lies in storage; and what the public list is
 * found by when a search has too few characters for trigrams.
 */
export class Provenance1763700000010 implements MigrationInterface {
  name = 'Provenance1763700000010';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // The bytes are compared once, after the job has ended; `stored_sha256` is null when there were none.
  `create table rerender (
    job_id uuid primary key references job on delete cascade,
    asset_id bigint not null references flat_file on delete cascade,
    compared_at timestamptz,
    equal boolean,
    stored_sha256 text,
    stored_size bigint,
    constraint rerender_compared_whole check ((compared_at is null) = (equal is null)),
    constraint rerender_stored_whole check ((stored_sha256 is null) = (stored_size is null))
  )`,
  'create index rerender_of_asset on rerender (asset_id)',
  ...[1, 2].map((length) => `create index collection_public_begins_${length}
     on collection (lower(left(title, ${length})), created_at desc, id desc) where status = 'published' and not archived`),
];

const DOWN = [
  'drop index collection_public_begins_2',
  'drop index collection_public_begins_1',
  'drop table rerender',
];
