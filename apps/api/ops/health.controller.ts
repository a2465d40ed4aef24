import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { Logger } from 'pino';
import { LOGGER } from '#libs/backing-services/logger.js';
import { BackingReadiness } from '#libs/backing-services/readiness.js';
import { serviceUnavailable } from '#libs/errors/errors.js';
import { Answers } from '../http/answers.js';
import { Policy } from '../http/policy.js';
import { Liveness, Readiness } from './health.dto.js';

@ApiTags('Operations')
@Policy('public')
@SkipThrottle()
@Controller('health')
export class HealthController {
  constructor(
    private readonly backing: BackingReadiness,
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
    try {
      await this.backing.check();
    } catch (error) {
      this.logger.warn({ err: error }, 'not ready');
      throw serviceUnavailable();
    }
    return { status: 'ready', degraded: this.backing.degraded };
  }
}
