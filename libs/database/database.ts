import { setTimeout } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';

/** Runs SQL. Rows come back as `pg` reads them: `bigint` and `numeric` are strings. */
export interface Queryable {
  query<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>;
}

/** An open transaction. Its statements are awaited one after another, never with `Promise.all`. */
export interface Transaction extends Queryable {
  /** Runs `effect` once the transaction has committed; an effect is a hint, so its failure is ignored. */
  afterCommit(effect: () => unknown): void;
}

/** SQLSTATEs after which the whole transaction may simply be tried again. */
const RETRYABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 3;
const RECONNECT_MS = 250;

/** The one door to Postgres. Money and state change only inside `transaction`. */
export class Database implements Queryable {
  /** With `patienceMs` a transaction waits that long for a Postgres that is away, instead of failing at once. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly patienceMs = 0,
  ) {}

  query<Row = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return rowsOf<Row>(this.dataSource.manager, sql, parameters);
  }

  /**
   * Runs `work` in one transaction, commits, then runs its `afterCommit` effects in order. Retried as a
   * whole on deadlock or serialization failure, so `work` has no effect outside the database.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const patientUntil = Date.now() + this.patienceMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.runOnce(work);
      } catch (error) {
        if (isDatabaseUnavailable(error) && Date.now() < patientUntil) await setTimeout(RECONNECT_MS);
        else if (attempt >= ATTEMPTS || !RETRYABLE.has(sqlState(error) ?? '')) throw error;
      }
    }
  }

  private async runOnce<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const effects: Array<() => unknown> = [];
    const result = await this.dataSource.transaction((manager) =>
      work({
        query: (sql, parameters = []) => rowsOf(manager, sql, parameters),
        afterCommit: (effect) => effects.push(effect),
      }),
    );
    for (const effect of effects) await Promise.resolve().then(effect).catch(() => undefined);
    return result;
  }
}

/** The five-character SQLSTATE of a failed statement, if `error` is one. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether `error` says that Postgres could not be reached or is going down (503, never 500). */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return /timeout exceeded when trying to connect|Connection terminated/.test(String(error));
  return /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|57P0[123]|08...|53300)$/.test(code);
}

async function rowsOf<Row>(manager: EntityManager, sql: string, parameters: unknown[]): Promise<Row[]> {
  const runner = manager.queryRunner ?? manager.connection.createQueryRunner();
  try {
    // The structured form is the only one that is the same for SELECT, UPDATE … RETURNING and WITH.
    const result = await runner.query(sql, parameters, true);
    return (result.records ?? []) as Row[];
  } finally {
    if (!manager.queryRunner) await runner.release();
  }
}
