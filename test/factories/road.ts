import { pino } from 'pino';
import { GenerationWorker, type WorkerOptions } from '#apps/worker/generation-worker.js';
import { AssetFiles } from '#libs/assets/asset-files.js';
import { AssetInputs } from '#libs/assets/asset-inputs.js';
import { Spool } from '#libs/assets/spool.js';
import { Ledger } from '#libs/credits/ledger.js';
import { Plans } from '#libs/credits/plans.js';
import { StepRunner } from '#libs/engine/step-runner.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { createEventBus } from '#libs/events/index.js';
import { ExternalCancels } from '#libs/generations/external-cancels.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobTransactions } from '#libs/generations/job-transaction.js';
import { PostgresGenerationStore } from '#libs/generations/postgres-generation-store.js';
import { Reconciler } from '#libs/generations/reconciler.js';
import { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { createWakeQueue } from '#libs/queue/index.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { LocalStorage } from '#libs/storage/local.storage.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { testRedisUrl } from '../setup/redis.js';
import { testKeys, testSeal } from './keys.js';
import { submitJob, type JobPlan, type SubmittedJob } from './job.js';
import { createOutside, testNodes, type Outside } from './nodes.js';

/** The road below HTTP, on real servers: workers, control and reconciler around test nodes. */
export interface Road extends TestDatabase {
  /** Folder of the storage driver. */
  storageFolder: string;
  outside: Outside;
  bus: EventBus;
  queue: WakeQueue;
  store: PostgresGenerationStore;
  steps: StepRunner;
  jobs: JobTransactions;
  registry: NodeRegistry;
  control: JobControl;
  reconciler: Reconciler;
  cancels: ExternalCancels;
  inbox: WebhookInbox;
  /** A paid job, its generations woken. */
  submit(plan: JobPlan): Promise<SubmittedJob>;
  worker(options?: Partial<WorkerOptions>): GenerationWorker;
}

export interface RoadOptions {
  backend?: 'redis' | 'postgres';
  generationTimeoutMs?: number;
  /** Nodes beside those of `testNodes`. */
  nodes?: NodeDefinition[];
}

export async function buildRoad(settings: RoadOptions = {}): Promise<Road> {
  const { backend = 'postgres', generationTimeoutMs = 60_000, nodes = [] } = settings;
  const test = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'platen-road-'));
  const outside = createOutside();
  const servers = {
    databaseUrl: test.url,
    ...(backend === 'redis' && { redisUrl: testRedisUrl(), prefix: `{${folder}}` }),
  };
  const queue = await createWakeQueue(servers);
  const bus = createEventBus(servers);
  const keys = testKeys(test.database);
  const ledger = new Ledger();
  const registry = new NodeRegistry([...testNodes(outside), ...nodes]);
  const jobs = new JobTransactions(test.database, ledger, bus);
  const store = new PostgresGenerationStore(test.database, jobs, registry, queue, keys, generationTimeoutMs);
  const storageFolder = join(folder, 'storage');
  const storage = new LocalStorage(storageFolder);
  const files = new AssetFiles(storage, new Spool(join(folder, 'spool')), { maxBytes: 10_000_000 });
  const inbox = new WebhookInbox(test.database, queue, testSeal('webhook inbox'));
  const stored = { pinned: async () => registry };
  const steps = new StepRunner(registry, files, new AssetInputs(test.database), stored, inbox);
  const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const workers: GenerationWorker[] = [];
  return {
    ...test, storageFolder, outside, bus, queue, store, steps, jobs, registry,
    control: new JobControl(jobs, ledger, new Plans({}), queue, bus),
    reconciler: new Reconciler(test.database, jobs, queue, bus),
    cancels: new ExternalCancels(test.database, stored, keys),
    inbox,
    submit: async (plan) => {
      const job = await submitJob(test.database, plan);
      const lane = plan.lane ?? 'default';
      await queue.wake(job.generationIds.map((generationId) => ({ lane, generationId, dispatch: 1 })));
      return job;
    },
    worker: (options = {}) => {
      const parts = { database: test.database, queue, bus, store, steps, log };
      const lanes = ['default', 'provider', 'chromium'] as const;
      const worker = new GenerationWorker(parts, { lanes: [...lanes], concurrency: 4, graceMs: 2_000, ...options });
      workers.push(worker);
      return worker;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await queue.close();
      await bus.close();
      await test.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
