import { Controller, Post, Query, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { fieldError, invalidSignature, notFound } from '#libs/errors/errors.js';
import { ReplicateReports } from '#libs/generations/replicate-reports.js';
import { ProviderError, type ProviderWebhook } from '#libs/providers/provider.js';
import { Answers } from '../http/answers.js';
import { Policy } from '../http/policy.js';
import { ReplicateWebhookQuery } from './replicate-webhooks.dto.js';

/** Where Replicate reports the end of predictions. */
@ApiTags('v1 generations')
@Controller('api/v1/webhooks/replicate')
export class ReplicateWebhooksController {
  constructor(private readonly reports: ReplicateReports) {}

  /**
   * A prediction, signed as Standard Webhooks within the last five minutes. It only says that it is time to ask: what
   * became of the prediction is asked of Replicate, so that nothing depends on the order or the number of reports.
   */
  @Post()
  @Policy('public')
  @RouteConfig({ isRaw: true })
  @ApiBody({ schema: { type: 'object' }, description: 'A prediction, as Replicate writes it' })
  @Answers({ errors: ['INVALID_SIGNATURE', 'VALIDATION_ERROR', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'] })
  async take(@Req() request: FastifyRequest, @Query() { step }: ReplicateWebhookQuery): Promise<void> {
    const isKnown = await this.reports.take(this.read(request), step);
    if (!isKnown) throw notFound('Prediction');
  }

  private read({ headers, body }: FastifyRequest): ProviderWebhook {
    try {
      return this.reports.read(headers, Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      throw error.fault === 'signature' ? invalidSignature() : fieldError('body', 'is not a prediction');
    }
  }
}
