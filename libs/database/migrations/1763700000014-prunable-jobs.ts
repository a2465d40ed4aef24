import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whoever removes a job looks for its files, and for those of each generation: without these in all files there are. */
export class PrunableJobs1763700000014 implements MigrationInterface {
  name = 'PrunableJobs1763700000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index flat_file_of_job on flat_file (job_id) where job_id is not null');
    await runner.query('create index flat_file_of_generation on flat_file (generation_id) where generation_id is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index flat_file_of_generation');
    await runner.query('drop index flat_file_of_job');
  }
}
