import { Gauge } from 'prom-client';
import type { Database } from '#libs/database/database.js';
import type { Metrics } from './metrics.js';
import { Reading } from './reading.js';
import { BOOKS, QUEUE, STORED, WORKFLOWS, type Books, type Queue, type Stored, type Workflow } from './row-queries.js';

/** What alerts stand on is read often; what costs a look at many rows is not. */
const QUEUE_EVERY_MS = 5_000;
const BOOKS_EVERY_MS = 60_000;
const STORED_EVERY_MS = 300_000;
/** A database under pressure must not be asked for its figures for ever. */
const STATEMENT_TIMEOUT_MS = 10_000;

export interface RowMetricsOptions {
  /** Tells when the run of a resumed generation began. */
  generationTimeoutMs: number;
  /** The workflows whose names are asked for. */
  workflowIds: () => string[];
}

/**
 * What the rows say: true for the whole installation, whichever process is asked, and also when nothing
 * works any more. A few statements per page at most, however much happens in between.
 */
export function measureRows(metrics: Metrics, database: Database, options: RowMetricsOptions): void {
  const read = <Row>(sql: string, parameters: unknown[] = []) => readRows<Row>(database, sql, parameters);
  const { queue, books, stored, workflows } = createGauges(metrics);
  const readings = [
    new Reading(
      QUEUE_EVERY_MS,
      async () => queue.set((await read<Queue>(QUEUE, [options.generationTimeoutMs]))[0] as Queue),
      queue.forget,
    ),
    new Reading(
      BOOKS_EVERY_MS,
      async () => {
        books.set((await read<Books>(BOOKS))[0] as Books);
        workflows.set(await read<Workflow>(WORKFLOWS, [options.workflowIds()]));
      },
      books.forget,
    ),
    new Reading(STORED_EVERY_MS, async () => stored.set((await read<Stored>(STORED))[0] as Stored), stored.forget),
  ];
  for (const reading of readings) metrics.beforeReading(reading.refresh);
}

function readRows<Row>(database: Database, sql: string, parameters: unknown[]): Promise<Row[]> {
  return database.transaction(async (tx) => {
    await tx.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    return tx.query<Row>(sql, parameters);
  });
}

function createGauges({ registry }: Metrics) {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => {
    const made = new Gauge({ name, help, labelNames, registers: [registry] });
    if (labelNames.length === 0) made.remove();
    return made;
  };
  const open = gauge('platen_open_generations', 'Generations that have not ended.', 'lane', 'status');
  const users = gauge('platen_users_with_open_generations', 'Users who wait for a generation.');
  const unfinished = gauge('platen_oldest_unfinished_age_seconds', 'Age of the oldest generation that has not ended.');
  const queued = gauge('platen_oldest_queued_age_seconds', 'How long what may be worked on has not been taken.');
  const stalled = gauge('platen_longest_without_progress_seconds', 'How long a generation that is held has not moved.');
  const overdue = gauge('platen_overdue_reservations', 'Open generations past their time: credits held for nothing.');
  const accounts = gauge('platen_accounts', 'Users who were ever seen.');
  const balance = gauge('platen_credits_balance', 'Credits of all accounts.');
  const held = gauge('platen_credits_held', 'Those of them that are set aside for what is open.');
  const drift = gauge('platen_ledger_drift_accounts', 'Accounts whose holds are not the price of what is open.');
  const bytes = gauge('platen_storage_bytes', 'Bytes of all files.');
  const files = gauge('platen_storage_files', 'Files that are stored.');
  const missing = gauge('platen_storage_missing_files', 'Files with a row that the storage does not have.');
  const info = gauge('platen_workflow_info', 'What the workflows in the labels are called.', 'workflow', 'name');
  const forgetting = (...gauges: Gauge[]) => () => gauges.forEach((each) => each.remove());
  return {
    queue: {
      set(row: Queue) {
        open.reset();
        for (const { lane, status, generations } of row.depth) open.set({ lane, status }, generations);
        users.set(row.users);
        unfinished.set(row.unfinished);
        queued.set(row.queued);
        stalled.set(row.stalled);
        overdue.set(row.overdue);
      },
      forget: forgetting(users, unfinished, queued, stalled, overdue),
    },
    books: {
      set(row: Books) {
        accounts.set(row.accounts);
        balance.set(row.balance);
        held.set(row.held);
        drift.set(row.drift);
      },
      forget: forgetting(accounts, balance, held, drift),
    },
    stored: {
      set(row: Stored) {
        bytes.set(row.bytes);
        files.set(row.files);
        missing.set(row.missing);
      },
      forget: forgetting(bytes, files, missing),
    },
    workflows: {
      set(rows: Workflow[]) {
        info.reset();
        for (const { id, name } of rows) info.set({ workflow: id, name }, 1);
      },
    },
  };
}
