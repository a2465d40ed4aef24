import type { MigrationInterface, QueryRunner } from 'typeorm';

const OPEN = `status in ('pending', 'processing', 'waiting')`;

/** One index for all that is open, with a deadline or not: metrics and operators' views read no more than that. */
export class OpenGenerations1763700000015 implements MigrationInterface {
  name = 'OpenGenerations1763700000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index generation_open on generation (deadline_at) where ${OPEN}`);
    await runner.query('drop index generation_deadline');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`create index generation_deadline on generation (deadline_at) where ${OPEN} and deadline_at is not null`);
    await runner.query('drop index generation_open');
  }
}
