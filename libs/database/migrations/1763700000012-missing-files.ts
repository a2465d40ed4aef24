import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows whose file the storage does not have, or not all of it; the few there are found by an index. */
export class MissingFiles1763700000012 implements MigrationInterface {
  name = 'MissingFiles1763700000012';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table flat_file drop column missing_since');
  }
}

const UP = [
  'alter table flat_file add column missing_since timestamptz',
  'create index flat_file_missing on flat_file (missing_since) where missing_since is not null',
];
