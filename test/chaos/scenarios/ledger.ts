import { createDataSource } from '#libs/database/data-source.js';
import { Database } from '#libs/database/database.js';
import { reconcile } from '#libs/credits/reconcile.js';
import { runLedgerSequences } from '../ledger/ledger-sequences.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

/** Sequences run at a time, each on an account of its own. */
const LANES = 4;
/** What was never tried has not been shown. */
const OUTCOMES = [
  'grant: done', 'hold: done', 'hold: INSUFFICIENT_CREDITS', 'hold: TOO_MANY_INFLIGHT', 'hold: rejected',
  'append: done', 'append: INSUFFICIENT_CREDITS', 'append: rejected',
];
const LARGEST_SEED = 2 ** 31 - 1;

export const ledger: Scenario = {
  name: 'ledger',
  promise: 'Whatever is asked of it, in turn or at once, the ledger stands as its model does after every step.',
  backends: ['postgres'],

  async run(storm) {
    await inDatabase(storm, async (database) => {
      const random = storm.random('sequences');
      const runs = storm.sized(5_000, 500) / LANES;
      const lanes = Array.from({ length: LANES }, () =>
        runLedgerSequences(database, runs, random.integer(0, LARGEST_SEED)),
      );
      for (const tally of await Promise.all(lanes)) {
        storm.did('sequences', runs);
        for (const [outcome, times] of Object.entries(tally)) storm.did(outcome, times);
      }
      const { drift } = await reconcile(database);
      const wrong = drift.filter(({ rule }) => ['balance', 'held', 'running_sum'].includes(rule));
      for (const { user_id, rule } of wrong) storm.fault(`account ${user_id}: ${rule}`);
    });
    for (const outcome of OUTCOMES) storm.mustReach(outcome, storm.sized(500, 50));
  },
};

/** A database beside the town's: these accounts hold credits for jobs that do not exist. */
async function inDatabase(storm: Storm, work: (database: Database) => Promise<void>): Promise<void> {
  const { postgres } = storm.town;
  const url = new URL(postgres.addressOf(await postgres.createDatabase()));
  // What is tested is who sees what, not whether the disk keeps it.
  url.searchParams.set('options', '-c synchronous_commit=off');
  const dataSource = await createDataSource({ url: url.href, poolSize: LANES * 4 }).initialize();
  await work(new Database(dataSource)).finally(() => dataSource.destroy());
}
