import { join, resolve } from 'node:path';
import { Module, type FactoryProvider, type OnApplicationShutdown } from '@nestjs/common';
import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import { Environment } from '#libs/config/environment.js';
import { publicUrlOf } from '#libs/config/public-url.js';
import { Pricing } from '#libs/credits/pricing.js';
import { Database } from '#libs/database/database.js';
import { FormConfigs } from '#libs/form-configs/form-configs.js';
import { createNodes } from '#libs/nodes/index.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';
import { createProviders } from '#libs/providers/index.js';
import { createServiceQueue } from '#libs/queue/index.js';
import { ChromiumSketchRenderer } from '#libs/sandbox/chromium/chromium-sketch-renderer.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';
import { DurationEstimates } from '#libs/workflows/workflow-duration.js';
import { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { WorkflowModels } from '#libs/workflows/workflow-models.js';
import { WorkflowPrices } from '#libs/workflows/workflow-prices.js';
import { FormConfigsModule } from '../form-configs/form-configs.module.js';
import { ModelsController } from './models.controller.js';
import { WorkflowsController } from './workflows.controller.js';

/** A caller waits for what a server says of its models. */
const ANSWER_MS = 2_000;

/** What other faces check, price and describe their work with. */
const SERVICES: FactoryProvider[] = [
  { provide: ScriptSandbox, useFactory: () => new QuickJsSandbox() },
  {
    provide: ComfyServers,
    inject: [Environment],
    useFactory: ({ COMFYUI_URLS }: Environment) => new ComfyServers(COMFYUI_URLS, { answerMs: ANSWER_MS }),
  },
  {
    provide: WorkflowModels,
    inject: [ComfyServers],
    useFactory: (servers: ComfyServers) => new WorkflowModels(servers),
  },
  {
    provide: NodeRegistry,
    inject: [Environment, ScriptSandbox, ComfyServers],
    useFactory: createRegistry,
  },
  {
    provide: Pricing,
    inject: [Environment, NodeRegistry, ScriptSandbox],
    useFactory: (environment: Environment, registry: NodeRegistry, sandbox: ScriptSandbox) =>
      new Pricing(environment, registry, sandbox),
  },
  {
    provide: WorkflowCatalog,
    inject: [Database],
    useFactory: (database: Database) => new WorkflowCatalog(database),
  },
  {
    provide: StepWorkflows,
    inject: [WorkflowCatalog, NodeRegistry, Environment, WorkflowModels],
    useFactory: (
      catalog: WorkflowCatalog, registry: NodeRegistry, { STORAGE_BUCKET }: Environment, models: WorkflowModels,
    ) => new StepWorkflows(catalog, registry, STORAGE_BUCKET, undefined, models),
  },
  {
    provide: WorkflowEstimates,
    inject: [Database, Pricing, StepWorkflows],
    useFactory: (database: Database, pricing: Pricing, stepWorkflows: StepWorkflows) =>
      new WorkflowEstimates(new DurationEstimates(database), pricing, stepWorkflows),
  },
];

@Module({
  imports: [FormConfigsModule],
  controllers: [ModelsController, WorkflowsController],
  providers: [
    ...SERVICES,
    {
      provide: WorkflowCheck,
      inject: [NodeRegistry, ScriptSandbox, StepWorkflows, FormConfigs],
      useFactory: (
        registry: NodeRegistry, sandbox: ScriptSandbox, stepWorkflows: StepWorkflows, configs: FormConfigs,
      ) => new WorkflowCheck(registry, sandbox, stepWorkflows, configs),
    },
    {
      provide: WorkflowPrices,
      inject: [Pricing],
      useFactory: (pricing: Pricing) => new WorkflowPrices(pricing),
    },
  ],
  exports: SERVICES,
})
export class WorkflowsModule implements OnApplicationShutdown {
  constructor(
    private readonly scripts: ScriptSandbox,
    private readonly comfy: ComfyServers,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.scripts.close();
    await this.comfy.close();
  }
}

/** The nodes, to check payloads by. The API runs none, so that no browser starts and no other host is asked. */
function createRegistry(environment: Environment, scripts: ScriptSandbox, comfy: ComfyServers): NodeRegistry {
  const sketches = new ChromiumSketchRenderer({
    cacheDirectory: join(resolve(environment.PLATEN_HOME), 'chromium'),
    executablePath: environment.CHROMIUM_PATH,
    allowUnsandboxed: environment.ALLOW_UNSANDBOXED_CHROMIUM,
  });
  const outbound = new OutboundClient({ allowedHosts: environment.ALLOWED_HOSTS });
  const images = new RemoteImages(outbound);
  const providers = createProviders(environment);
  return new NodeRegistry(createNodes({
    scripts, sketches, images, outbound, publicUrl: publicUrlOf(environment), providers, comfy,
    services: createServiceQueue({ databaseUrl: environment.DATABASE_URL ?? '' }),
  }));
}
