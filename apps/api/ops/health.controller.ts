import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { Logger } from 'pino';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { migrations } from '#libs/database/migrations/index.js';
import { serviceUnavailable } from '#libs/errors/errors.js';
import { EventBus } from '#libs/events/event-bus.js';
import { Storage } from '#libs/storage/storage.js';
import { Answers } from '../http/answers.js';
import { Policy } from '../http/policy.js';
import { Liveness, Readiness } from './health.dto.js';

const CHECK_TIMEOUT_MS = 3_000;

@ApiTags('Operations')
@Policy('public')
@SkipThrottle()
@Controller('health')
export class HealthController {
  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly storage: Storage,
    private readonly eventBus: EventBus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The process runs and answers. */
  @Get('live')
  @Answers({ data: Liveness })
  live(): Liveness {
    return { status: 'ok' };
  }

  /**
   * Requests can be taken: database, storage and migrations are there. With Redis away they still can,
   * so that only degrades.
   */
  @Get('ready')
  @Answers({ data: Readiness, errors: ['SERVICE_UNAVAILABLE'] })
  async ready(): Promise<Readiness> {
    const checks = [this.checkMigrations(), this.storage.check()].map((check) => inTime(check));
    const failed = (await Promise.allSettled(checks)).find((check) => check.status === 'rejected');
    if (failed) {
      this.logger.warn({ err: failed.reason }, 'not ready');
      throw serviceUnavailable();
    }
    const isRedisAway = this.environment.REDIS_URL !== undefined && !this.eventBus.healthy();
    return { status: 'ready', degraded: isRedisAway ? ['redis'] : [] };
  }

  private async checkMigrations(): Promise<void> {
    const rows = await this.database.query<{ name: string }>('select name from migration');
    const done = new Set(rows.map(({ name }) => name));
    const missing = migrations.map((Migration) => new Migration().name).filter((name) => !done.has(name));
    if (missing.length > 0) throw new Error(`Migrations are missing: ${missing.join(', ')}`);
  }
}

async function inTime(check: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}
