import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { PrivateRedis } from '../../setup/private-redis.js';
import { Processes, type Api, type Variables } from '../../e2e/processes.js';
import type { Program } from '../../e2e/program.js';
import { FaultProxy } from './fault-proxy.js';
import type { Backend } from './scenario.js';
import type { PrivatePostgres } from './private-postgres.js';

/** No limit of a plan stands in a storm's way. */
const PLANS = JSON.stringify({ free: { submitsPerMinute: 1e6, readsPerMinute: 1e6, maxOpenGenerations: 1e6 } });
const POOL = '8';
const QUERY_PATIENCE_MS = 90_000;

export interface TownOptions {
  backend: Backend;
  /** May be shared with other towns, unless the storm stops it. */
  postgres: PrivatePostgres;
  folder: string;
  random: () => number;
}

/** Servers of a town, and the ways by which its processes reach them. */
interface Ground {
  databaseName: string;
  postgresWay: FaultProxy;
  redis: PrivateRedis | null;
  redisWay: FaultProxy | null;
}

/** One installation under a storm: API and worker processes, and the servers they stand on. */
export class Town extends Processes {
  readonly postgres: PrivatePostgres;
  readonly folder: string;
  isOpen = true;

  private constructor(
    { postgres, folder }: TownOptions,
    private readonly ground: Ground,
  ) {
    const { postgresWay, redisWay } = ground;
    const variables = { LOG_LEVEL: 'warn', PLANS, DATABASE_POOL: POOL, ...(redisWay && { REDIS_URL: redisWay.url }) };
    super({ databaseUrl: postgresWay.url, folder, variables });
    [this.postgres, this.folder] = [postgres, folder];
  }

  /** With a database of its own and, where it needs one, a Redis; starts no process of the product yet. */
  static async found(options: TownOptions): Promise<Town> {
    const { postgres, folder, random, backend } = options;
    mkdirSync(folder, { recursive: true });
    const databaseName = await postgres.createDatabase();
    const postgresWay = await FaultProxy.to(postgres.addressOf(databaseName), random);
    const redis = backend === 'redis' ? await PrivateRedis.start() : null;
    const redisWay = redis && (await FaultProxy.to(redis.url, random));
    return new Town(options, { databaseName, postgresWay, redis, redisWay });
  }

  /** Every process reaches Postgres by this way. */
  get postgresWay(): FaultProxy {
    return this.ground.postgresWay;
  }

  /** And Redis by this one. */
  get redisWay(): FaultProxy {
    return present(this.ground.redisWay);
  }

  get redis(): PrivateRedis {
    return present(this.ground.redis);
  }

  get hasRedis(): boolean {
    return this.ground.redis !== null;
  }

  startApis(count: number, variables: Variables = {}): Promise<Api[]> {
    return Promise.all(Array.from({ length: count }, () => this.api(variables)));
  }

  startWorkers(count: number, variables: Variables = {}): Promise<Program[]> {
    return Promise.all(Array.from({ length: count }, () => this.worker(variables)));
  }

  /** A worker that may die before it is ready. */
  beginWorker(variables: Variables): Program {
    return this.start('worker', variables);
  }

  /**
   * Asks Postgres, past the proxy; waits while it restarts. Never through the product, which is what is
   * being judged.
   */
  async query<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const deadline = Date.now() + QUERY_PATIENCE_MS;
    for (;;) {
      this.refuseClosed();
      try {
        return await this.withClient(async (client) => (await client.query<Row>(sql, parameters)).rows);
      } catch (error) {
        if (Date.now() > deadline || !isAway(error)) throw error;
        await delay(200);
      }
    }
  }

  async withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({ connectionString: this.postgres.addressOf(this.ground.databaseName) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async restartPostgres(how: 'fast' | 'immediate', awayMs = 0): Promise<void> {
    await this.postgres.stop(how);
    await delay(awayMs);
    await this.postgres.start();
    this.postgresWay.retarget(this.postgres.addressOf(this.ground.databaseName));
  }

  /** The logs of all processes, for whoever looks into a failed storm. */
  keepLogs(): string {
    const folder = join(this.folder, 'logs');
    mkdirSync(folder, { recursive: true });
    for (const { pid, output, errors } of this.started) writeFileSync(join(folder, `${pid}.log`), output + errors);
    return folder;
  }

  /** Whatever part of a storm still goes on after this ends with an error. */
  override async close(): Promise<void> {
    this.isOpen = false;
    await super.close();
    const { postgresWay, redisWay, redis } = this.ground;
    await Promise.all([postgresWay.close(), redisWay?.close(), redis?.kill()]);
  }

  protected override start(role: 'api' | 'worker', variables: Variables): Program {
    this.refuseClosed();
    return super.start(role, variables);
  }

  private refuseClosed(): void {
    if (!this.isOpen) throw new Error('The storm is over');
  }
}

const isAway = (error: unknown): boolean =>
  /ECONNREFUSED|ECONNRESET|57P0|terminat|starting up|shutting down|timeout|not queryable/i.test(
    `${(error as { code?: string }).code} ${String(error)}`,
  );

function present<Part>(part: Part | null): Part {
  if (part === null) throw new Error('This storm runs without Redis');
  return part;
}
