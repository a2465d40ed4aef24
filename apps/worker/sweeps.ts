import type { Logger } from 'pino';
import { sweepDeletedFiles } from '#libs/assets/asset-removal.js';
import { MissingFiles } from '#libs/assets/missing-files.js';
import { OrphanedFiles } from '#libs/assets/orphaned-files.js';
import { publishDueCollections } from '#libs/collections/auto-publish.js';
import type { Database } from '#libs/database/database.js';
import type { DeliveryDispatcher } from '#libs/deliveries/delivery-dispatcher.js';
import type { ExternalCancels } from '#libs/generations/external-cancels.js';
import type { Reconciler } from '#libs/generations/reconciler.js';
import type { WebhookInbox } from '#libs/generations/webhook-inbox.js';
import type { Expiry } from '#libs/image-generations/expiry.js';
import type { Pauses } from '#libs/operators/pauses.js';
import { choosePreviews } from '#libs/previews/collection-previews.js';
import type { ThumbnailMaker } from '#libs/previews/thumbnail-maker.js';
import type { Pruning } from '#libs/retention/pruning.js';
import type { Storage } from '#libs/storage/storage.js';
import { signals } from '#libs/tracepoints/signals.js';
import type { Sweep } from './sweeper.js';

/** Files that one sweep removes at most: those of a deleted collection are many. */
const DELETED_AT_ONCE = 1_000;
/** Keys that one line of the log names at most. */
const KEYS_TOLD = 10;

export interface SweptParts {
  database: Database;
  storage: Storage;
  reconciler: Reconciler;
  cancels: ExternalCancels;
  inbox: WebhookInbox;
  expiry: Expiry;
  pauses: Pauses;
  pruning: Pruning;
  deliveries: DeliveryDispatcher;
  log: Logger;
  thumbnails: ThumbnailMaker;
}

/** All that is looked after beside the generations themselves. */
export function createSweeps(
  { database, storage, reconciler, cancels, inbox, expiry, pauses, pruning, deliveries, thumbnails, log }: SweptParts,
): Sweep[] {
  const orphans = new OrphanedFiles(database, storage);
  const missing = new MissingFiles(database, storage);
  return [
    { name: 'reconcile', everyMs: 2_000, run: () => repair(reconciler) },
    { name: 'pauses', everyMs: 2_000, run: () => pauses.sweep() },
    { name: 'external cancels', everyMs: 2_000, run: () => cancels.sweep() },
    { name: 'webhook deliveries', everyMs: 1_000, run: () => deliveries.sweep() },
    {
      name: 'thumbnails', everyMs: 1_000, run: (stop) => thumbnails.sweep(stop), close: () => thumbnails.close(),
    },
    { name: 'collection previews', everyMs: 2_000, run: () => choosePreviews(database) },
    { name: 'due publications', everyMs: 2_000, run: () => publishDueCollections(database) },
    { name: 'records that nobody began', everyMs: 10_000, run: () => expiry.sweep() },
    { name: 'deleted files', everyMs: 60_000, run: () => sweepDeletedFiles(database, storage, DELETED_AT_ONCE) },
    { name: 'orphaned files', everyMs: 60_000, run: () => orphans.sweep() },
    { name: 'missing files', everyMs: 60_000, run: () => tellMissing(missing, log) },
    { name: 'old rows', everyMs: 60_000, run: () => pruning.sweep() },
    { name: 'old deliveries', everyMs: 60_000, run: () => inbox.sweep() },
  ];
}

async function repair(reconciler: Reconciler): Promise<void> {
  const repairs = await reconciler.sweep();
  if (repairs) signals.repaired.send(repairs);
}

async function tellMissing(files: MissingFiles, log: Logger): Promise<void> {
  const { missing, back } = await files.sweep();
  if (missing.length > 0) {
    log.error({ files: missing.length, keys: missing.slice(0, KEYS_TOLD) }, 'files are missing in the storage');
  }
  if (back.length > 0) log.info({ files: back.length, keys: back.slice(0, KEYS_TOLD) }, 'missing files are back');
}
