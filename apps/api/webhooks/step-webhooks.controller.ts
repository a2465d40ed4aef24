import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { notFound } from '#libs/errors/errors.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { Policy } from '../http/policy.js';

const noStep = () => notFound('Step');

/** Where services that workflows call bring their results. */
@ApiTags('Workflows')
@Controller('webhooks/steps')
export class StepWebhooksController {
  constructor(private readonly inbox: WebhookInbox) {}

  /**
   * The result of a `fetch_api` step of type `webhook`, as any JSON. The token is the step's `webhook_url`'s: it is
   * good once, and as long as the step waits; afterwards the answer is 404.
   */
  @Post(':token')
  @Policy('public')
  @ApiBody({ schema: {}, description: 'Any JSON' })
  @Answers({ errors: ['NOT_FOUND', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE'] })
  async deliver(@Param('token') given: string, @Body() body: unknown): Promise<void> {
    const token = parseUuid(given, noStep);
    const isTaken = await this.inbox.deliver({ provider: 'step', id: token, token, body: (body ?? {}) as Json });
    if (!isTaken) throw noStep();
  }
}
