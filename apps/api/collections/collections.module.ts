import { Module } from '@nestjs/common';
import { createAbsoluteFileUrls, FileUrls } from '#libs/assets/file-urls.js';
import { CollectionUpdates } from '#libs/collections/collection-updates.js';
import { CollectionSources } from '#libs/collections/collection-source.js';
import { Collections } from '#libs/collections/collections.js';
import { CollectionDrafts } from '#libs/collections/drafts.js';
import { ImageVariables } from '#libs/collections/image-variables.js';
import { CollectionLists } from '#libs/collections/collection-lists.js';
import { CollectionRemixes } from '#libs/collections/remix.js';
import { Reservations } from '#libs/collections/reservations.js';
import { VariableUpdates } from '#libs/collections/variable-updates.js';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { Accounts } from '#libs/identity/accounts.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';
import { Storage } from '#libs/storage/storage.js';
import { GenerateCollection } from '#libs/submission/generate-collection.js';
import { GenerateEditions } from '#libs/submission/generate-editions.js';
import { Submissions } from '#libs/submission/submissions.js';
import { WorkflowTrial } from '#libs/submission/workflow-trial.js';
import { TokenArchives } from '#libs/token-metadata/token-archive.js';
import { TokenCollections } from '#libs/token-metadata/token-collections.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { CollectionLifeController } from './collection-life.controller.js';
import { CollectionsController } from './collections.controller.js';
import { DistributionController } from './distribution.controller.js';
import { MetadataController } from './metadata.controller.js';
import { SubmissionsController } from './submissions.controller.js';
import { TrialsController } from './trials.controller.js';
import { VariablesController } from './variables.controller.js';

@Module({
  imports: [GenerationsModule, WorkflowsModule],
  controllers: [
    SubmissionsController, TrialsController, CollectionsController, CollectionLifeController, MetadataController,
    DistributionController, VariablesController,
  ],
  providers: [
    {
      provide: Collections,
      inject: [Database, FileUrls, CollectionKeys],
      useFactory: (...parts: ConstructorParameters<typeof Collections>) => new Collections(...parts),
    },
    {
      provide: CollectionDrafts,
      inject: [Database, StepWorkflows, CollectionKeys, ImageVariables],
      useFactory: (...parts: ConstructorParameters<typeof CollectionDrafts>) => new CollectionDrafts(...parts),
    },
    {
      provide: ImageVariables,
      inject: [Database, Environment],
      useFactory: (database: Database, { ALLOWED_HOSTS, PUBLIC_URL }: Environment) =>
        new ImageVariables(database, new RemoteImages(new OutboundClient({ allowedHosts: ALLOWED_HOSTS })), PUBLIC_URL),
    },
    {
      provide: CollectionSources,
      inject: [Database, CollectionKeys, ImageVariables],
      useFactory: (...parts: ConstructorParameters<typeof CollectionSources>) => new CollectionSources(...parts),
    },
    {
      provide: CollectionLists,
      inject: [Database, FileUrls],
      useFactory: (database: Database, urls: FileUrls) => new CollectionLists(database, urls),
    },
    {
      provide: CollectionUpdates,
      inject: [Database, CollectionDrafts, CollectionKeys],
      useFactory: (...parts: ConstructorParameters<typeof CollectionUpdates>) => new CollectionUpdates(...parts),
    },
    {
      provide: VariableUpdates,
      inject: [Database, CollectionSources, CollectionUpdates],
      useFactory: (...parts: ConstructorParameters<typeof VariableUpdates>) => new VariableUpdates(...parts),
    },
    {
      provide: CollectionRemixes,
      inject: [Database, StepWorkflows, CollectionKeys],
      useFactory: (...parts: ConstructorParameters<typeof CollectionRemixes>) => new CollectionRemixes(...parts),
    },
    {
      provide: TokenCollections,
      inject: [Database, Environment, CollectionKeys],
      useFactory: (database: Database, environment: Environment, keys: CollectionKeys) =>
        new TokenCollections(database, createAbsoluteFileUrls(environment), keys),
    },
    {
      provide: TokenArchives,
      inject: [Database, Environment, Storage, CollectionKeys],
      useFactory: (database: Database, environment: Environment, storage: Storage, keys: CollectionKeys) =>
        new TokenArchives(database, createAbsoluteFileUrls(environment), storage, keys),
    },
    {
      provide: Reservations,
      inject: [Database, CollectionKeys],
      useFactory: (database: Database, keys: CollectionKeys) => new Reservations(database, keys),
    },
    {
      provide: GenerateCollection,
      inject: [Reservations, WorkflowCatalog, WorkflowEstimates, StepWorkflows, Accounts, Submissions],
      useFactory: (...parts: ConstructorParameters<typeof GenerateCollection>) =>
        new GenerateCollection(...parts),
    },
    {
      provide: GenerateEditions,
      inject: [CollectionSources, WorkflowEstimates, StepWorkflows, Accounts, Submissions],
      useFactory: (...parts: ConstructorParameters<typeof GenerateEditions>) =>
        new GenerateEditions(...parts),
    },
    {
      provide: WorkflowTrial,
      inject: [WorkflowCatalog, WorkflowEstimates, StepWorkflows, Accounts, Submissions],
      useFactory: (...parts: ConstructorParameters<typeof WorkflowTrial>) => new WorkflowTrial(...parts),
    },
  ],
})
export class CollectionsModule {}
