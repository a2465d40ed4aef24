import { Module } from '@nestjs/common';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { ReplicateReports } from '#libs/generations/replicate-reports.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import { createProviders } from '#libs/providers/index.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { ReplicateWebhooksController } from './replicate-webhooks.controller.js';
import { StepWebhooksController } from './step-webhooks.controller.js';

/** What services outside bring by themselves. */
@Module({
  controllers: [ReplicateWebhooksController, StepWebhooksController],
  providers: [
    {
      provide: ReplicateReports,
      inject: [Environment, Database, WebhookInbox],
      useFactory: (environment: Environment, database: Database, inbox: WebhookInbox) =>
        new ReplicateReports(createProviders(environment).replicate, database, inbox),
    },
    {
      provide: WebhookInbox,
      inject: [Database, WakeQueue],
      useFactory: (database: Database, queue: WakeQueue) => new WebhookInbox(database, queue),
    },
  ],
})
export class WebhooksModule {}
