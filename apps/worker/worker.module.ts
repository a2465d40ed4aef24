import { join, resolve } from 'node:path';
import {
  Module, type BeforeApplicationShutdown, type DynamicModule, type FactoryProvider, type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AssetFiles } from '#libs/assets/asset-files.js';
import { AssetInputs } from '#libs/assets/asset-inputs.js';
import { createAbsoluteFileUrls } from '#libs/assets/file-urls.js';
import { Spool } from '#libs/assets/spool.js';
import { BackingServicesModule } from '#libs/backing-services/backing-services.module.js';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Environment } from '#libs/config/environment.js';
import { Ledger } from '#libs/credits/ledger.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { DeliveryDispatcher } from '#libs/deliveries/delivery-dispatcher.js';
import { DeliveryRows } from '#libs/deliveries/delivery-rows.js';
import { DeliverySender } from '#libs/deliveries/delivery-sender.js';
import { createWebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { createSeal } from '#libs/encryption/index.js';
import { StepRunner } from '#libs/engine/step-runner.js';
import { TracedStore } from '#libs/engine/traced-store.js';
import { EventBus } from '#libs/events/event-bus.js';
import { logEvents } from '#libs/events/event-lines.js';
import { ExternalCancels } from '#libs/generations/external-cancels.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { PostgresGenerationStore } from '#libs/generations/postgres-generation-store.js';
import { Reconciler } from '#libs/generations/reconciler.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import { Expiry } from '#libs/image-generations/expiry.js';
import { createNodes } from '#libs/nodes/index.js';
import { MetricsModule } from '#libs/metrics/metrics.module.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { OperatorLog } from '#libs/operators/operator-log.js';
import { Pauses } from '#libs/operators/pauses.js';
import { ThumbnailMaker } from '#libs/previews/thumbnail-maker.js';
import { ThumbnailRows } from '#libs/previews/thumbnail-rows.js';
import { DraftQueue } from '#libs/queue/draft-queue.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { prunables } from '#libs/retention/prunable.js';
import { Pruning } from '#libs/retention/pruning.js';
import type { ChromiumOptions } from '#libs/sandbox/chromium/chromium-launch.js';
import { ChromiumSketchRenderer } from '#libs/sandbox/chromium/chromium-sketch-renderer.js';
import { ChromiumVideoFrames } from '#libs/sandbox/chromium/chromium-video-frames.js';
import { SketchRenderer } from '#libs/sandbox/sketch-renderer.js';
import { createSecrets } from '#libs/secrets/secrets.js';
import { Storage } from '#libs/storage/storage.js';
import { TracedStepRunner } from '#libs/tracing/road-spans.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { renderDraft } from './draft-renderer.js';
import { GenerationWorker, type WorkerParts } from './generation-worker.js';
import { Sweeper } from './sweeper.js';
import { createSweeps, type SweptParts } from './sweeps.js';
import { WorkerTools } from './worker-tools.js';

/** How long a change of state waits for a Postgres that restarts, instead of failing the step. */
const PATIENCE_MS = 30_000;
const PATIENT_DATABASE = Symbol('PATIENT_DATABASE');
const WORKER_PARTS = Symbol('WORKER_PARTS');
const SWEPT_PARTS = Symbol('SWEPT_PARTS');

const FACTORIES: FactoryProvider[] = [
  {
    provide: PATIENT_DATABASE,
    inject: [DataSource],
    useFactory: (dataSource: DataSource) => new Database(dataSource, PATIENCE_MS),
  },
  {
    provide: SketchRenderer,
    inject: [Environment],
    useFactory: (environment: Environment) =>
      new ChromiumSketchRenderer(chromiumOf(environment)),
  },
  {
    provide: WorkerTools,
    inject: [Environment, SketchRenderer, LOGGER],
    useFactory: (environment: Environment, sketches: SketchRenderer, log: Logger) =>
      new WorkerTools(environment, sketches, log),
  },
  {
    provide: NodeRegistry,
    inject: [WorkerTools],
    useFactory: (tools: WorkerTools) => new NodeRegistry(createNodes(tools)),
  },
  {
    provide: StepWorkflows,
    inject: [PATIENT_DATABASE, NodeRegistry, Environment],
    useFactory: (database: Database, registry: NodeRegistry, environment: Environment) =>
      new StepWorkflows(
        new WorkflowCatalog(database), registry, environment.STORAGE_BUCKET, createSecrets(database, environment),
      ),
  },
  {
    provide: WebhookInbox,
    inject: [PATIENT_DATABASE, WakeQueue, Environment],
    useFactory: (database: Database, queue: WakeQueue, environment: Environment) =>
      new WebhookInbox(database, queue, createSeal(environment, 'webhook inbox')),
  },
  {
    provide: StepRunner,
    inject: [NodeRegistry, Storage, PATIENT_DATABASE, Environment, StepWorkflows, WebhookInbox],
    useFactory: (
      registry: NodeRegistry, storage: Storage, database: Database, environment: Environment, stored: StepWorkflows,
      inbox: WebhookInbox,
    ) => {
      const files = new AssetFiles(storage, spoolOf(environment), { maxBytes: environment.MAX_ASSET_BYTES });
      return new TracedStepRunner(registry, files, new AssetInputs(database, environment.PUBLIC_URL), stored, inbox);
    },
  },
  {
    provide: JobTransactions,
    inject: [PATIENT_DATABASE, EventBus, LOGGER],
    useFactory: (database: Database, bus: EventBus, log: Logger) =>
      new JobTransactions(database, new Ledger(), bus, logEvents(log)),
  },
  {
    provide: PostgresGenerationStore,
    inject: [PATIENT_DATABASE, JobTransactions, NodeRegistry, WakeQueue, CollectionKeys, Environment],
    useFactory: (
      database: Database, jobs: JobTransactions, registry: NodeRegistry, queue: WakeQueue, keys: CollectionKeys,
      { GENERATION_TIMEOUT_MS }: Environment,
    ) => new PostgresGenerationStore(database, jobs, registry, queue, keys, GENERATION_TIMEOUT_MS),
  },
  {
    provide: WORKER_PARTS,
    inject: [PATIENT_DATABASE, WakeQueue, EventBus, PostgresGenerationStore, StepRunner, LOGGER],
    useFactory: (
      database: Database, queue: WakeQueue, bus: EventBus, store: PostgresGenerationStore, steps: StepRunner, log: Logger,
    ): WorkerParts => ({ database, queue, bus, store: new TracedStore(store), steps, log }),
  },
  {
    provide: GenerationWorker,
    inject: [WORKER_PARTS, Environment],
    useFactory: (parts: WorkerParts, environment: Environment) =>
      new GenerationWorker(parts, {
        lanes: environment.WORKER_LANES,
        concurrency: environment.WORKER_CONCURRENCY,
        graceMs: environment.SHUTDOWN_GRACE_MS,
      }),
  },
  {
    provide: Reconciler,
    inject: [Database, JobTransactions, WakeQueue, EventBus, LOGGER],
    useFactory: (database: Database, jobs: JobTransactions, queue: WakeQueue, bus: EventBus, log: Logger) =>
      new Reconciler(database, jobs, queue, bus, (error) => log.error({ err: error }, 'repair failed')),
  },
  {
    provide: ExternalCancels,
    inject: [Database, StepWorkflows, CollectionKeys],
    useFactory: (database: Database, stored: StepWorkflows, keys: CollectionKeys) =>
      new ExternalCancels(database, stored, keys),
  },
  {
    provide: Expiry,
    inject: [Database, JobTransactions, Plans, WakeQueue, EventBus, LOGGER],
    useFactory: (
      database: Database, jobs: JobTransactions, plans: Plans, queue: WakeQueue, bus: EventBus, log: Logger,
    ) => {
      const control = new JobControl(jobs, new Ledger(), plans, queue, bus);
      return new Expiry(database, jobs, control, (error) => log.error({ err: error }, 'expiry failed'));
    },
  },
  {
    provide: Pauses,
    inject: [Database, WakeQueue, LOGGER],
    useFactory: (database: Database, queue: WakeQueue, log: Logger) =>
      new Pauses(database, queue, new OperatorLog(database, log)),
  },
  {
    provide: Pruning,
    inject: [Database, Environment],
    useFactory: (database: Database, environment: Environment) => new Pruning(database, prunables(environment)),
  },
  {
    provide: DeliveryDispatcher,
    inject: [PATIENT_DATABASE, CollectionKeys, WorkerTools, Environment, LOGGER],
    useFactory: (
      database: Database, keys: CollectionKeys, tools: WorkerTools, environment: Environment, log: Logger,
    ) => {
      const secrets = createWebhookSecrets(database, environment);
      // A receiver has no address of ours to put before a path.
      const urls = createAbsoluteFileUrls(environment);
      const sender = new DeliverySender(tools.outbound, secrets, urls);
      return new DeliveryDispatcher(new DeliveryRows(database, keys), sender, (error) => log.warn({ err: error }, 'deliveries'));
    },
  },
  {
    provide: ThumbnailMaker,
    inject: [Database, Storage, Environment],
    useFactory: (database: Database, storage: Storage, environment: Environment) => {
      // Videos are decoded by a browser: where there is one for sketches.
      const hasBrowser = environment.WORKER_LANES.includes('chromium');
      const frames = hasBrowser ? new ChromiumVideoFrames(chromiumOf(environment)) : null;
      return new ThumbnailMaker(new ThumbnailRows(database), storage, spoolOf(environment), frames);
    },
  },
  {
    provide: SWEPT_PARTS,
    inject: [Database, Storage, Reconciler, ExternalCancels, WebhookInbox, Expiry],
    useFactory: (
      database: Database, storage: Storage, reconciler: Reconciler, cancels: ExternalCancels, inbox: WebhookInbox,
      expiry: Expiry,
    ) => ({ database, storage, reconciler, cancels, inbox, expiry }),
  },
  {
    provide: Sweeper,
    inject: [SWEPT_PARTS, DeliveryDispatcher, ThumbnailMaker, Pauses, Pruning, LOGGER],
    useFactory: (
      parts: Omit<SweptParts, 'deliveries' | 'thumbnails' | 'pauses' | 'pruning' | 'log'>, deliveries: DeliveryDispatcher,
      thumbnails: ThumbnailMaker, pauses: Pauses, pruning: Pruning, log: Logger,
    ) => new Sweeper(createSweeps({ ...parts, deliveries, thumbnails, pauses, pruning, log }), log),
  },
];

function chromiumOf(environment: Environment): ChromiumOptions {
  return {
    cacheDirectory: join(resolve(environment.PLATEN_HOME), 'chromium'),
    executablePath: environment.CHROMIUM_PATH,
    allowUnsandboxed: environment.ALLOW_UNSANDBOXED_CHROMIUM,
  };
}

function spoolOf(environment: Environment): Spool {
  return new Spool(join(resolve(environment.PLATEN_HOME), 'spool'));
}

/** Queue in, events out: no controllers. Several workers share the work by their claims. */
@Module({})
export class WorkerModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  static forRoot(environment: Environment, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [BackingServicesModule.forRoot(environment, logger), MetricsModule],
      providers: FACTORIES,
    };
  }

  constructor(
    private readonly worker: GenerationWorker,
    private readonly sweeper: Sweeper,
    private readonly deliveries: DeliveryDispatcher,
    private readonly bus: EventBus,
    private readonly drafts: DraftQueue,
    private readonly tools: WorkerTools,
  ) {}

  onApplicationBootstrap(): void {
    this.worker.start();
    this.sweeper.start();
    this.deliveries.listen(this.bus);
    this.drafts.serve((draft) => renderDraft(this.tools.sketches, draft));
  }

  /** Before the backing services close: what runs still checkpoints. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
    await this.sweeper.stop();
    await this.deliveries.stop();
    await this.tools.close();
  }
}
