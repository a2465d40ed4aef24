import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryLog, deliveryNotFound } from '#libs/deliveries/delivery-log.js';
import { jobNotFound } from '#libs/errors/errors.js';
import { JobQueries } from '#libs/generations/job-queries.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { DeliveryAnswer } from './delivery.dto.js';

/** What a job's webhook was told. */
@ApiTags('Webhooks')
@Policy('user')
@Controller('jobs')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveryLog,
    private readonly jobs: JobQueries,
  ) {}

  /** The deliveries of a job's webhook, by the number of their event. */
  @Get(':id/deliveries')
  @Answers({ pageOf: DeliveryAnswer, errors: ['JOB_NOT_FOUND', 'VALIDATION_ERROR'] })
  async list(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<DeliveryAnswer>> {
    const jobId = parseUuid(id, jobNotFound);
    await this.jobs.assertOwner(userId, jobId);
    const [after = '0'] = readCursor(cursor, ['bigint']) ?? [];
    const rows = await this.deliveries.list(userId, jobId, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ seq }) => [String(seq)]);
  }

  /**
   * Sends a delivery once more, whatever became of it, under the same id and with a day of retries. An address that
   * wanted no more is told of what follows again once it takes one.
   */
  @Post(':id/deliveries/:deliveryId/resend')
  @SubmitRate()
  @Answers({ status: 202, data: DeliveryAnswer, errors: ['JOB_NOT_FOUND', 'NOT_FOUND'] })
  async resend(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryAnswer> {
    const jobId = parseUuid(id, jobNotFound);
    await this.jobs.assertOwner(userId, jobId);
    return this.deliveries.resend(userId, jobId, parseUuid(deliveryId, deliveryNotFound));
  }
}
