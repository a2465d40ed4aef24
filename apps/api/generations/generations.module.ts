import { Module, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { FileUrls } from '#libs/assets/file-urls.js';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Ledger } from '#libs/credits/ledger.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { EventBus } from '#libs/events/event-bus.js';
import { logEvents } from '#libs/events/event-lines.js';
import { EventFeed } from '#libs/events/event-feed.js';
import { EventLog } from '#libs/events/event-log.js';
import { StreamTokens } from '#libs/events/stream-tokens.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobQueries } from '#libs/generations/job-queries.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { JobWaiter } from '#libs/generations/job-waiter.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { Submissions } from '#libs/submission/submissions.js';
import { EventGateway } from './event-gateway.js';
import { HeldAnswers } from './held-answers.js';
import { JobEventsController } from './job-events.controller.js';
import { JobStreams } from './job-streams.js';
import { JobsController } from './jobs.controller.js';

/** Jobs, their events, and what every face submits and holds answers with. */
@Module({
  controllers: [JobEventsController, JobsController],
  providers: [
    {
      provide: EventLog,
      inject: [Database, CollectionKeys],
      useFactory: (database: Database, keys: CollectionKeys) => new EventLog(database, keys),
    },
    { provide: StreamTokens, inject: [Database], useFactory: (database: Database) => new StreamTokens(database) },
    {
      provide: EventFeed,
      inject: [EventBus, EventLog],
      useFactory: (bus: EventBus, log: EventLog) => new EventFeed(bus, log),
    },
    {
      provide: JobQueries,
      inject: [Database, FileUrls, CollectionKeys],
      useFactory: (...parts: ConstructorParameters<typeof JobQueries>) => new JobQueries(...parts),
    },
    {
      provide: Submissions,
      inject: [Database, Ledger, WakeQueue, EventBus],
      useFactory: (...parts: ConstructorParameters<typeof Submissions>) => new Submissions(...parts),
    },
    Ledger,
    {
      provide: JobTransactions,
      inject: [Database, Ledger, EventBus, LOGGER],
      useFactory: (database: Database, ledger: Ledger, bus: EventBus, log: Logger) =>
        new JobTransactions(database, ledger, bus, logEvents(log)),
    },
    {
      provide: JobControl,
      inject: [JobTransactions, Ledger, Plans, WakeQueue, EventBus],
      useFactory: (...parts: ConstructorParameters<typeof JobControl>) => new JobControl(...parts),
    },
    {
      provide: JobWaiter,
      inject: [EventFeed, EventLog],
      useFactory: (feed: EventFeed, log: EventLog) => new JobWaiter(feed, log),
    },
    {
      provide: HeldAnswers,
      inject: [JobWaiter, JobQueries],
      useFactory: (waiter: JobWaiter, jobs: JobQueries) => new HeldAnswers(waiter, jobs),
    },
    {
      provide: EventGateway,
      inject: [EventFeed, EventLog, JobQueries, FileUrls],
      useFactory: (feed: EventFeed, log: EventLog, jobs: JobQueries, urls: FileUrls) =>
        new EventGateway(feed, log, jobs, urls),
    },
    {
      provide: JobStreams,
      inject: [EventGateway, StreamTokens],
      useFactory: (gateway: EventGateway, tokens: StreamTokens) => new JobStreams(gateway, tokens),
    },
  ],
  exports: [EventGateway, HeldAnswers, JobControl, JobQueries, JobStreams, JobTransactions, JobWaiter, Submissions],
})
export class GenerationsModule implements OnModuleDestroy {
  constructor(
    private readonly gateway: EventGateway,
    private readonly feed: EventFeed,
  ) {}

  /** Before the HTTP server closes, which waits for open streams. */
  onModuleDestroy(): void {
    this.gateway.close();
    this.feed.close();
  }
}
