import { Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { WebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { Answers } from '../http/answers.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { WebhookSecretAnswer } from './delivery.dto.js';

/** What the account's webhooks are signed with. */
@ApiTags('Webhooks')
@Policy('user')
@Controller('webhooks/secret')
export class WebhookSecretsController {
  constructor(private readonly secrets: WebhookSecrets) {}

  /** The account's secret. It is made when it is first asked for. */
  @Get()
  @Answers({ data: WebhookSecretAnswer })
  find(@CurrentCaller() { userId }: Caller): Promise<WebhookSecretAnswer> {
    return this.secrets.current(userId);
  }

  /**
   * Makes another secret. The one before signs along for 24 hours, so that receivers can be changed meanwhile. An
   * `Idempotency-Key` is not honoured here: replaying the answer would mean to store the secret.
   */
  @Post('rotate')
  @Answers({ data: WebhookSecretAnswer })
  rotate(@CurrentCaller() { userId }: Caller): Promise<WebhookSecretAnswer> {
    return this.secrets.rotate(userId);
  }
}
