import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { BackingServicesModule } from '#libs/backing-services/backing-services.module.js';
import type { Environment } from '#libs/config/environment.js';
import { MetricsModule } from '#libs/metrics/metrics.module.js';
import { AssetsModule } from './assets/assets.module.js';
import { CollectionsModule } from './collections/collections.module.js';
import { CreditsModule } from './credits/credits.module.js';
import { FormConfigsModule } from './form-configs/form-configs.module.js';
import { HttpModule } from './http/http.module.js';
import { GenerationsModule } from './generations/generations.module.js';
import { ImagesModule } from './images/images.module.js';
import { OperatorsModule } from './operators/operators.module.js';
import { OpsModule } from './ops/ops.module.js';
import { PreviewsModule } from './previews/previews.module.js';
import { ProjectsModule } from './projects/projects.module.js';
import { ProvenanceModule } from './provenance/provenance.module.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';
import { WorkflowsModule } from './workflows/workflows.module.js';

const FACES = [
  AssetsModule, CollectionsModule, CreditsModule, FormConfigsModule, GenerationsModule, ImagesModule, PreviewsModule,
  ProjectsModule, ProvenanceModule, SecretsModule, WebhooksModule, WorkflowsModule,
];

/** HTTP in, server-sent events out; never runs a node. */
@Module({})
export class ApiModule {
  static forRoot(environment: Environment, logger: Logger): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        BackingServicesModule.forRoot(environment, logger),
        LoggerModule.forRoot({ pinoHttp: { logger }, useExisting: true }),
        MetricsModule,
        HttpModule,
        ...FACES,
        OperatorsModule,
        OpsModule.forRoot(environment),
      ],
    };
  }
}
