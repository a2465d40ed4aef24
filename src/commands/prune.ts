import { Database } from '#libs/database/database.js';
import { prunables } from '#libs/retention/prunable.js';
import { Pruning } from '#libs/retention/pruning.js';
import { connect, loadInstallation } from '../installation.js';
import { assertMigrated, withDataSource } from '../schema.js';
import { printLines, printTable } from '../table.js';

export interface PruneOptions {
  dryRun?: true;
  json?: true;
}

/** `platen prune`: removes at once what workers would remove little by little, or counts it. */
export async function prune({ dryRun, json }: PruneOptions, environment = connect(loadInstallation())): Promise<void> {
  const dry = dryRun === true;
  const kinds = prunables(environment);
  const pruned = await withDataSource(environment.DATABASE_URL, async (source) => {
    await assertMigrated(source);
    return new Pruning(new Database(source), kinds).all({ dry });
  });
  if (json) return printLines([JSON.stringify({ dry_run: dry, pruned })]);
  printTable(
    ['what', 'kept for', dry ? 'would go' : 'gone'],
    pruned.map(({ name, rows }, index) => {
      const days = kinds[index]?.keepDays;
      return [name, days === undefined ? 'ever' : `${days} days`, String(rows)];
    }),
  );
}
