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
  /** A gauge for each field of a row. */
  const row = <Field extends string>(fields: Record<Field, [name: string, help: string]>) => {
    const made = Object.entries<[string, string]>(fields).map(([field, named]) => ({ field: field as Field, gauge: gauge(...named) }));
    return {
      set: (values: Record<Field, number>) => made.forEach(({ field, gauge: each }) => each.set(values[field])),
      forget: () => made.forEach(({ gauge: each }) => each.remove()),
    };
  };
  const open = gauge('platen_open_generations', 'Generations that have not ended.', 'lane', 'status');
  const pauses = gauge('platen_pauses', 'Pauses of operators that are in force.', 'scope', 'mode');
  const info = gauge('platen_workflow_info', 'What the workflows in the labels are called.', 'workflow', 'name');
  const queue = row<Exclude<keyof Queue, 'depth' | 'pauses'>>({
    users: ['platen_users_with_open_generations', 'Users who wait for a generation.'],
    unfinished: ['platen_oldest_unfinished_age_seconds', 'Age of the oldest generation that has not ended.'],
    queued: ['platen_oldest_queued_age_seconds', 'How long what may be worked on has not been taken.'],
    stalled: ['platen_longest_without_progress_seconds', 'How long a generation that is held has not moved.'],
    overdue: ['platen_overdue_reservations', 'Open generations past their time: credits held for nothing.'],
    undelivered: ['platen_oldest_delivery_age_seconds', 'How long a webhook that is due has not been sent.'],
  });
  return {
    queue: {
      set(values: Queue) {
        open.reset();
        for (const { lane, status, generations } of values.depth) open.set({ lane, status }, generations);
        pauses.reset();
        for (const { scope, mode, pauses: count } of values.pauses) pauses.set({ scope, mode }, count);
        queue.set(values);
      },
      forget() {
        open.reset();
        pauses.reset();
        queue.forget();
      },
    },
    books: row<keyof Books>({
      accounts: ['platen_accounts', 'Users who were ever seen.'],
      balance: ['platen_credits_balance', 'Credits of all accounts.'],
      held: ['platen_credits_held', 'Those of them that are set aside for what is open.'],
      drift: ['platen_ledger_drift_accounts', 'Accounts whose holds are not the price of what is open.'],
    }),
    stored: row<keyof Stored>({
      bytes: ['platen_storage_bytes', 'Bytes of all files.'],
      files: ['platen_storage_files', 'Files that are stored.'],
      missing: ['platen_storage_missing_files', 'Files with a row that the storage does not have.'],
      database: ['platen_database_bytes', 'Size of the database, indexes included.'],
    }),
    workflows: {
      set(rows: Workflow[]) {
        info.reset();
        for (const { id, name } of rows) info.set({ workflow: id, name }, 1);
      },
    },
  };
}
