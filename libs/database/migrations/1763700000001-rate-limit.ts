import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Counters of the rate limits where no Redis carries them, in the shape that rate-limiter-flexible reads.
 * Unlogged: they are written on every request, and losing them in a crash forgives one minute.
 */
export class RateLimit1763700000001 implements MigrationInterface {
  name = 'RateLimit1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create unlogged table rate_limit (key varchar(255) primary key, points integer not null, expire bigint)',
    );
    await runner.query('create index rate_limit_by_age on rate_limit (expire)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table rate_limit');
  }
}
