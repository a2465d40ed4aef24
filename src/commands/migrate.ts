import { connect, loadInstallation } from '../installation.js';
import { migrateDatabase } from '../schema.js';

/** `platen migrate` */
export async function migrate(): Promise<void> {
  const names = await migrateDatabase(connect(loadInstallation()).DATABASE_URL);
  const lines = names.length > 0 ? names.map((name) => `ran ${name}`) : ['The schema is up to date.'];
  process.stdout.write(`${lines.join('\n')}\n`);
}
