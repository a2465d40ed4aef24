import { Database } from '#libs/database/database.js';
import { createWebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { createKeyManagement } from '#libs/encryption/index.js';
import { createSecrets } from '#libs/secrets/secrets.js';
import { CommandFailure } from '../command-failure.js';
import { connect, loadInstallation, type Connected } from '../installation.js';
import { assertMigrated, withDataSource } from '../schema.js';

/** What was brought under the newest master key. */
export interface Rotated {
  collections: number;
  secrets: number;
  webhookSecrets: number;
  /** Collections whose key could not be had: the former master key is needed for them still. */
  failed: string[];
}

/** `platen rotate-keys`. Throws `CommandFailure` naming the collections whose key could not be had. */
export async function rotateKeys(environment = connect(loadInstallation())): Promise<void> {
  const { collections, secrets, webhookSecrets, failed } = await renewKeys(environment);
  process.stdout.write(
    `Under the newest master key now: keys of ${collections} collections, ${secrets} secrets of workflows, ` +
      `${webhookSecrets} secrets of webhooks.\n`,
  );
  if (failed.length > 0) {
    throw new CommandFailure(
      `The keys of ${failed.length} collections could not be had: ${failed.join(', ')}. Keep PLATEN_OLD_MASTER_KEYS.`,
    );
  }
  process.stdout.write('PLATEN_OLD_MASTER_KEYS may go a week from now.\n');
}

/** Wraps and seals anew what former master keys hold; again it finds what has failed alone. */
export async function renewKeys(environment: Connected): Promise<Rotated> {
  const rotated: Rotated = { collections: 0, secrets: 0, webhookSecrets: 0, failed: [] };
  await withDataSource(environment.DATABASE_URL, async (source) => {
    await assertMigrated(source);
    const database = new Database(source);
    const keys = new CollectionKeys(database, createKeyManagement(environment));
    for (let batch = await keys.rewrap(); batch.last !== null; batch = await keys.rewrap(batch.last)) {
      rotated.collections += batch.renewed;
      rotated.failed.push(...batch.failed);
    }
    rotated.secrets = await createSecrets(database, environment).renew();
    rotated.webhookSecrets = await createWebhookSecrets(database, environment).renew();
  });
  return rotated;
}
