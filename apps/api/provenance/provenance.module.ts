import { Module } from '@nestjs/common';
import { FileUrls } from '#libs/assets/file-urls.js';
import { Database } from '#libs/database/database.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { Accounts } from '#libs/identity/accounts.js';
import { Provenances } from '#libs/provenance/provenance.js';
import { RerenderVerdicts } from '#libs/provenance/rerender-verdict.js';
import { Rerenders } from '#libs/provenance/rerender.js';
import { Storage } from '#libs/storage/storage.js';
import { Submissions } from '#libs/submission/submissions.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { ProvenanceController } from './provenance.controller.js';

@Module({
  imports: [GenerationsModule, WorkflowsModule],
  controllers: [ProvenanceController],
  providers: [
    {
      provide: Provenances,
      inject: [Database, CollectionKeys, StepWorkflows],
      useFactory: (...parts: ConstructorParameters<typeof Provenances>) => new Provenances(...parts),
    },
    {
      provide: Rerenders,
      inject: [Database, CollectionKeys, StepWorkflows, Accounts, Submissions],
      useFactory: (...parts: ConstructorParameters<typeof Rerenders>) => new Rerenders(...parts),
    },
    {
      provide: RerenderVerdicts,
      inject: [Database, Storage, FileUrls],
      useFactory: (...parts: ConstructorParameters<typeof RerenderVerdicts>) => new RerenderVerdicts(...parts),
    },
  ],
})
export class ProvenanceModule {}
