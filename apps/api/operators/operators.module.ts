import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Database } from '#libs/database/database.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { JobVerbs } from '#libs/operators/job-verbs.js';
import { OperatorLog } from '#libs/operators/operator-log.js';
import { Pauses } from '#libs/operators/pauses.js';
import { QueueView } from '#libs/operators/queue-view.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { QueueController } from './queue.controller.js';
import { QueuedJobsController } from './queued-jobs.controller.js';

/** What operators see of the queue, and do to it. */
@Module({
  imports: [GenerationsModule],
  controllers: [QueueController, QueuedJobsController],
  providers: [
    {
      provide: OperatorLog,
      inject: [Database, LOGGER],
      useFactory: (database: Database, log: Logger) => new OperatorLog(database, log),
    },
    {
      provide: Pauses,
      inject: [Database, WakeQueue, OperatorLog],
      useFactory: (...parts: ConstructorParameters<typeof Pauses>) => new Pauses(...parts),
    },
    {
      provide: JobVerbs,
      inject: [JobTransactions, JobControl, OperatorLog],
      useFactory: (...parts: ConstructorParameters<typeof JobVerbs>) => new JobVerbs(...parts),
    },
    {
      provide: QueueView,
      inject: [Database, Pauses],
      useFactory: (...parts: ConstructorParameters<typeof QueueView>) => new QueueView(...parts),
    },
  ],
})
export class OperatorsModule {}
