import type { Logger } from 'pino';
import type { Database, Transaction } from '#libs/database/database.js';

/** What an operator did to the queue. */
export interface OperatorAction {
  /** The user behind the token. */
  by: string;
  verb: 'pause' | 'drain' | 'lift' | 'cancel' | 'retry' | 'prioritise';
  /** Of what kind and which: `{ lane: 'chromium' }`, `{ job_id, index }`. */
  target: Record<string, unknown>;
  /** Beside that: the reason, the new priority. */
  details?: Record<string, unknown>;
}

export interface RecordedAction {
  id: string;
  user_id: string;
  verb: string;
  target: Record<string, unknown>;
  details: Record<string, unknown>;
  at: Date;
}

/** Who did what to the queue: a row in the transaction of the deed itself, and a line of the log once it is done. */
export class OperatorLog {
  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  async record(tx: Transaction, { by, verb, target, details = {} }: OperatorAction): Promise<void> {
    await tx.query('insert into operator_action (user_id, verb, target, details) values ($1, $2, $3, $4)', [
      by, verb, JSON.stringify(target), JSON.stringify(details),
    ]);
    tx.afterCommit(() => this.log.info({ operator: by, verb, ...target, ...details }, 'operator'));
  }

  /** Newest first, those before the id `before`. */
  actions(limit: number, before: string | null): Promise<RecordedAction[]> {
    return this.database.query<RecordedAction>(
      `select id, user_id, verb, target, details, at from operator_action
        where $2::bigint is null or id < $2 order by id desc limit $1`,
      [limit, before],
    );
  }
}
