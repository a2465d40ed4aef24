import { Module } from '@nestjs/common';
import { Database } from '#libs/database/database.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { StepWebhooksController } from './step-webhooks.controller.js';

/** What services outside bring by themselves. */
@Module({
  controllers: [StepWebhooksController],
  providers: [
    {
      provide: WebhookInbox,
      inject: [Database, WakeQueue],
      useFactory: (database: Database, queue: WakeQueue) => new WebhookInbox(database, queue),
    },
  ],
})
export class WebhooksModule {}
