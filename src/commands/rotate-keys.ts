import { Database } from '#libs/database/database.js';
import { createWebhookSecrets } from '#libs/deliveries/webhook-secrets.js';
import { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { createKeyManagement } from '#libs/encryption/index.js';
import { createSecrets } from '#libs/secrets/secrets.js';
import { connect, loadInstallation, type Connected } from '../installation.js';
import { assertMigrated, withDataSource } from '../schema.js';

/** What was brought under the newest master key. */
export interface Rotated {
  collections: number;
  secrets: number;
  webhookSecrets: number;
}

/** `platen rotate-keys` */
export async function rotateKeys(): Promise<void> {
  const { collections, secrets, webhookSecrets } = await renewKeys(connect(loadInstallation()));
  process.stdout.write(
    `Under the newest master key now: keys of ${collections} collections, ${secrets} secrets of workflows, ` +
      `${webhookSecrets} secrets of webhooks. PLATEN_OLD_MASTER_KEYS may go a week from now.\n`,
  );
}

/** Wraps and seals anew what former master keys hold; again it finds nothing to do. What fails leaves the rest as it is. */
export async function renewKeys(environment: Connected): Promise<Rotated> {
  const rotated: Rotated = { collections: 0, secrets: 0, webhookSecrets: 0 };
  await withDataSource(environment.DATABASE_URL, async (source) => {
    await assertMigrated(source);
    const database = new Database(source);
    const keys = new CollectionKeys(database, createKeyManagement(environment));
    for (let batch = await keys.rewrap(); batch > 0; batch = await keys.rewrap()) rotated.collections += batch;
    rotated.secrets = await createSecrets(database, environment).renew();
    rotated.webhookSecrets = await createWebhookSecrets(database, environment).renew();
  });
  return rotated;
}
