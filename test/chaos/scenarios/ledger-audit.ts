import pg from 'pg';
import { v7 as uuid } from 'uuid';
import type { Reconciliation } from '#libs/credits/reconcile.js';
import type { Client } from '../../e2e/client.js';
import { fillLedger } from '../ledger/many-entries.js';
import type { Scenario } from '../harness/scenario.js';

const LIMIT_SECONDS = 30;

/** One fault of each kind, planted on an account of its own; what the check must call it. */
const FAULTS: Array<[rule: string, sql: string]> = [
  ['balance', 'update account set balance = balance + 1 where user_id = $1'],
  ['held', 'update account set held = held - 1 where user_id = $1'],
  ['open_price', 'update generation set price = price + 1 where user_id = $1'],
  ['open_generations', 'update account set open_generations = 7 where user_id = $1'],
  [
    'running_sum',
    `update credit_entry set balance_after = balance_after + 1
      where id = (select min(id) from credit_entry where user_id = $1)`,
  ],
];

export const ledgerAudit: Scenario = {
  name: 'ledger-audit',
  promise: 'A million entries are checked in half a minute, and what is wrong among them is found.',
  backends: ['postgres'],

  async run(storm) {
    const { town } = storm;
    const url = town.postgres.addressOf(await town.postgres.createDatabase());
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    const entries = storm.sized(1_000_000, 100_000);
    await fillLedger(database, entries);
    const [api] = await town.startApis(1, { DATABASE_URL: url });
    const admin = town.client(api!, uuid(), 'admin');
    const startedAt = performance.now();
    const right = await check(admin);
    storm.figure('check', (performance.now() - startedAt) / 1_000, 's', LIMIT_SECONDS);
    storm.did('entries checked', right.entries);
    storm.mustReach('entries checked', entries);
    for (const { user_id, rule } of right.drift) storm.fault(`account ${user_id} is right, yet: ${rule}`);

    const { rows } = await database.query<{ user_id: string }>(
      'select user_id from account order by 1 limit $1', [FAULTS.length],
    );
    for (const [index, [, sql]] of FAULTS.entries()) await database.query(sql, [rows[index]!.user_id]);
    await database.end();
    const { drift } = await check(admin);
    for (const [index, [rule]] of FAULTS.entries()) {
      const found = drift.some((fault) => fault.user_id === rows[index]!.user_id && fault.rule === rule);
      if (found) storm.did('faults found');
    }
    storm.mustReach('faults found', FAULTS.length);
  },
};

const check = (admin: Client): Promise<Reconciliation> => admin.create('/admin/credits/reconcile', {});
