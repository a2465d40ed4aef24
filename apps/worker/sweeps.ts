import { sweepDeletedFiles } from '#libs/assets/asset-removal.js';
import { publishFinishedCollections } from '#libs/collections/auto-publish.js';
import type { Database } from '#libs/database/database.js';
import type { EventBus } from '#libs/events/event-bus.js';
import { ExternalCancels } from '#libs/generations/external-cancels.js';
import type { JobTransactions } from '#libs/generations/job-transaction.js';
import { Reconciler } from '#libs/generations/reconciler.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import type { Storage } from '#libs/storage/storage.js';
import type { Sweep } from './sweeper.js';

export interface SweptParts {
  database: Database;
  queue: WakeQueue;
  bus: EventBus;
  storage: Storage;
  jobs: JobTransactions;
  registry: NodeRegistry;
}

/** All that is looked after beside the generations themselves. */
export function createSweeps({ database, queue, bus, storage, jobs, registry }: SweptParts): Sweep[] {
  const reconciler = new Reconciler(database, jobs, queue, bus);
  const cancels = new ExternalCancels(database, registry);
  return [
    { name: 'reconcile', everyMs: 2_000, run: () => reconciler.sweep() },
    { name: 'external cancels', everyMs: 2_000, run: () => cancels.sweep() },
    { name: 'auto publish', everyMs: 2_000, run: () => publishFinishedCollections(database) },
    { name: 'deleted files', everyMs: 60_000, run: () => sweepDeletedFiles(database, storage) },
  ];
}
