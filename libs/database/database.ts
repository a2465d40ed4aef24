import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import { isPrepared, type Prepared } from './prepared.js';

/** Runs SQL. Rows come back as `pg` reads them: `bigint` and `numeric` are strings. */
export interface Queryable {
  query<Row = Record<string, unknown>>(sql: string | Prepared, parameters?: unknown[]): Promise<Row[]>;
}

/** An open transaction. Its statements are awaited one after another, never with `Promise.all`. */
export interface Transaction extends Queryable {
  /** Runs `effect` once the transaction has committed; an effect is a hint, so its failure is ignored. */
  afterCommit(effect: () => unknown): void;
}

/** A prepared statement whose tables changed since: it is prepared anew on another connection. */
const STALE_PLAN = '0A000';
/** SQLSTATEs after which the whole transaction may simply be tried again. */
const RETRYABLE = new Set(['40001', '40P01', STALE_PLAN]);
const ATTEMPTS = 3;
const RECONNECT_MS = 250;

const ignore = (): void => undefined;

/** The one door to Postgres. Money and state change only inside `transaction`, or in one statement. */
export class Database implements Queryable {
  /**
   * TypeORM's pool, without its query runner: that cannot name statements, so every call would be parsed
   * and planned anew.
   */
  private readonly pool: Pool;

  /** With `patienceMs` it waits that long for a Postgres that is away, instead of failing at once. */
  constructor(
    dataSource: DataSource,
    private readonly patienceMs = 0,
  ) {
    this.pool = (dataSource.driver as unknown as { master: Pool }).master;
  }

  /** Connections of this process, and how many callers wait for one. */
  get connections(): { used: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.pool;
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  query<Row = Record<string, unknown>>(sql: string | Prepared, parameters: unknown[] = []): Promise<Row[]> {
    return this.withConnection((connection) => rowsOf<Row>(connection, sql, parameters));
  }

  /**
   * One statement that changes money or state: it commits by itself, and is tried again like a
   * transaction.
   */
  change<Row = Record<string, unknown>>(sql: string | Prepared, parameters: unknown[]): Promise<Row[]> {
    return this.persistently(() => this.query<Row>(sql, parameters));
  }

  /**
   * Runs `work` in one transaction, commits, then runs its `afterCommit` effects in order. Retried as a
   * whole on deadlock or serialization failure, so `work` has no effect outside the database.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.persistently(() => this.runOnce(work));
  }

  private async persistently<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const patientUntil = Date.now() + this.patienceMs;
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (isDatabaseUnavailable(error) && Date.now() < patientUntil) await setTimeout(RECONNECT_MS);
        else if (count >= ATTEMPTS || !RETRYABLE.has(sqlState(error) ?? '')) throw error;
      }
    }
  }

  private async runOnce<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const effects: Array<() => unknown> = [];
    const result = await this.withConnection(async (connection) => {
      await connection.query('begin');
      const outcome = await work({
        query: (sql, parameters = []) => rowsOf(connection, sql, parameters),
        afterCommit: (effect) => effects.push(effect),
      });
      await connection.query('commit');
      return outcome;
    }, 'rollback');
    for (const effect of effects) await Promise.resolve().then(effect).catch(() => undefined);
    return result;
  }

  /** A connection that may not be sound any more is closed instead of going back to the pool. */
  private async withConnection<Result>(
    work: (connection: PoolClient) => Promise<Result>,
    undo?: 'rollback',
  ): Promise<Result> {
    const connection = await this.pool.connect();
    // One that dies between two statements fails the next of them; without a listener it would end the process.
    connection.on('error', ignore);
    let broken: boolean | undefined;
    try {
      return await work(connection);
    } catch (error) {
      broken = isDatabaseUnavailable(error) || sqlState(error) === STALE_PLAN;
      if (undo && !broken) await connection.query(undo).catch(() => (broken = true));
      throw error;
    } finally {
      connection.off('error', ignore);
      connection.release(broken);
    }
  }
}

/** The five-character SQLSTATE of a failed statement, if `error` is one. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** What `pg` says, without a code, of a connection that cannot be had, has ended or fell silent. */
const LOST = /timeout exceeded when trying to connect|Connection terminated|Query read timeout|is not queryable/;

/** Whether `error` says that Postgres could not be reached or is going down (503, never 500). */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return LOST.test(String(error));
  return /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|57P0[123]|08...|53300)$/.test(code);
}

async function rowsOf<Row>(
  connection: PoolClient,
  sql: string | Prepared,
  parameters: unknown[],
): Promise<Row[]> {
  const statement = isPrepared(sql) ? { ...sql, values: parameters } : { text: sql, values: parameters };
  const result: QueryResult = await connection.query(statement);
  return result.rows as Row[];
}
