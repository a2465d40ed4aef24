import { Module } from '@nestjs/common';
import { AssetUploads } from '#libs/assets/asset-uploads.js';
import { FileUrls } from '#libs/assets/file-urls.js';
import { Environment } from '#libs/config/environment.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { JobWaiter } from '#libs/generations/job-waiter.js';
import { Accounts } from '#libs/identity/accounts.js';
import { ImageControl } from '#libs/image-generations/image-control.js';
import { ImageGenerations } from '#libs/image-generations/image-generations.js';
import { Moderation } from '#libs/image-generations/moderation.js';
import { StalePoll } from '#libs/image-generations/stale-poll.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { GenerateImage } from '#libs/submission/generate-image.js';
import { Submissions } from '#libs/submission/submissions.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { AssetsModule } from '../assets/assets.module.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { Idempotency } from '../http/idempotency.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { FirstPrediction } from './first-prediction.js';
import { TwoStepController } from './two-step.controller.js';
import { TwoStepSubmission } from './two-step-submission.js';
import { V1Controller } from './v1.controller.js';
import { V1Submission } from './v1-submission.js';

/** The two faces that make single images: two-step, and v1. */
@Module({
  imports: [AssetsModule, GenerationsModule, WorkflowsModule],
  controllers: [TwoStepController, V1Controller],
  providers: [
    { provide: Moderation, inject: [Environment], useFactory: (environment: Environment) => new Moderation(environment) },
    {
      provide: ImageGenerations,
      inject: [Database],
      useFactory: (database: Database) => new ImageGenerations(database),
    },
    {
      provide: StalePoll,
      inject: [Database, WakeQueue, JobWaiter],
      useFactory: (...parts: ConstructorParameters<typeof StalePoll>) => new StalePoll(...parts),
    },
    {
      provide: ImageControl,
      inject: [Database, JobTransactions, JobControl, Plans, WakeQueue],
      useFactory: (...parts: ConstructorParameters<typeof ImageControl>) => new ImageControl(...parts),
    },
    {
      provide: GenerateImage,
      inject: [WorkflowEstimates, StepWorkflows, Accounts, Submissions],
      useFactory: (...parts: ConstructorParameters<typeof GenerateImage>) => new GenerateImage(...parts),
    },
    {
      provide: RemoteImages,
      inject: [Environment],
      useFactory: ({ ALLOWED_HOSTS: allowedHosts }: Environment) => new RemoteImages(new OutboundClient({ allowedHosts })),
    },
    {
      provide: TwoStepSubmission,
      inject: [ImageGenerations, GenerateImage, ImageControl, Moderation, Idempotency, RemoteImages],
      useFactory: (...parts: ConstructorParameters<typeof TwoStepSubmission>) => new TwoStepSubmission(...parts),
    },
    {
      provide: FirstPrediction,
      inject: [JobWaiter, ImageGenerations, FileUrls, Idempotency, Environment],
      useFactory: (
        waiter: JobWaiter, images: ImageGenerations, urls: FileUrls, idempotency: Idempotency,
        { V1_WAIT_SECONDS }: Environment,
      ) => new FirstPrediction(waiter, images, urls, idempotency, V1_WAIT_SECONDS),
    },
    {
      provide: V1Submission,
      inject: [AssetUploads, GenerateImage, Moderation, FileUrls, Idempotency, FirstPrediction],
      useFactory: (...parts: ConstructorParameters<typeof V1Submission>) => new V1Submission(...parts),
    },
  ],
})
export class ImagesModule {}
