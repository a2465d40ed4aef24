import { Module } from '@nestjs/common';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { DeliveryLog } from '#libs/deliveries/delivery-log.js';
import { createWebhookSecrets, WebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { ReplicateReports } from '#libs/generations/replicate-reports.js';
import { createSeal } from '#libs/encryption/index.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import { createProviders } from '#libs/providers/index.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { DeliveriesController } from './deliveries.controller.js';
import { ReplicateWebhooksController } from './replicate-webhooks.controller.js';
import { StepWebhooksController } from './step-webhooks.controller.js';
import { WebhookSecretsController } from './webhook-secrets.controller.js';

/** What services outside bring by themselves, and what jobs tell them. */
@Module({
  imports: [GenerationsModule],
  controllers: [
    DeliveriesController, ReplicateWebhooksController, StepWebhooksController, WebhookSecretsController,
  ],
  providers: [
    {
      provide: ReplicateReports,
      inject: [Environment, Database, WebhookInbox],
      useFactory: (environment: Environment, database: Database, inbox: WebhookInbox) =>
        new ReplicateReports(createProviders(environment).replicate, database, inbox),
    },
    {
      provide: WebhookInbox,
      inject: [Database, WakeQueue, Environment],
      useFactory: (database: Database, queue: WakeQueue, environment: Environment) =>
        new WebhookInbox(database, queue, createSeal(environment, 'webhook inbox')),
    },
    { provide: DeliveryLog, inject: [Database], useFactory: (database: Database) => new DeliveryLog(database) },
    {
      provide: WebhookSecrets,
      inject: [Database, Environment],
      useFactory: (database: Database, environment: Environment) => createWebhookSecrets(database, environment),
    },
  ],
})
export class WebhooksModule {}
