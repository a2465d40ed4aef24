import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../src/embedded/postgres.js';
import { startRedis } from '../../src/embedded/redis.js';
import type { EmbeddedServer } from '../../src/embedded/server-process.js';
import { migrateDatabase } from '../../src/schema.js';
import { findOrInstallRedis } from '../setup/redis-program.js';
import { BenchProcess, type BenchProgram } from './bench-process.js';
import { interleave, type Contender, type Sample } from './rounds.js';
import { readable } from './table.js';

/** How much is measured: `tiny` only proves that it runs. */
export type Scale = 'tiny' | 'quick' | 'full';

export interface BenchOptions {
  scale: Scale;
  rounds: number;
  /** Profile Platen instead of comparing it: what its time goes to. */
  profile?: boolean;
  say(line: string): void;
}

const TYPESCRIPT = join(import.meta.dirname, '../setup/typescript.mjs');

/** What subjects stand on: servers and processes of the benchmark's own, which all end with it. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'platen-bench-'));
  private readonly servers: EmbeddedServer[] = [];
  private readonly processes: BenchProcess[] = [];
  private readonly clients: pg.Client[] = [];
  private postgres: Promise<string> | undefined;
  private redis: Promise<string> | undefined;

  private constructor(readonly options: BenchOptions) {}

  /** Its servers and processes end with the work, and with this process. */
  static async during<Result>(options: BenchOptions, work: (bench: Bench) => Promise<Result>): Promise<Result> {
    const bench = new Bench(options);
    const stop = () => void bench.close().finally(() => process.exit(130));
    process.once('SIGINT', stop).once('SIGTERM', stop).once('disconnect', stop);
    try {
      return await work(bench);
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop).off('disconnect', stop);
      await bench.close();
    }
  }

  /** The value for this run's scale. */
  sized<Value>(sizes: Record<Scale, Value>): Value {
    return sizes[this.options.scale];
  }

  /** A database with the product's schema, on a Postgres that survives a loss of power, as in production. */
  async database(name: string): Promise<string> {
    this.postgres ??= this.startPostgres();
    const url = new URL(await this.postgres);
    const server = await this.connect(url.href);
    await server.query(`create database ${name}`);
    url.pathname = `/${name}`;
    await migrateDatabase(url.href);
    return url.href;
  }

  /** A connection that ends with the benchmark. */
  async connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  /** Redis; `database` keeps what is compared apart. */
  async redisUrl(database: number): Promise<string> {
    this.redis ??= this.startRedis();
    return `${await this.redis}/${database}`;
  }

  async start(program: BenchProgram): Promise<BenchProcess> {
    const started = await BenchProcess.start(program);
    this.processes.push(started);
    return started;
  }

  /** A TypeScript file of this folder as a process of its own; it says `ready …` once it is. */
  startScript(file: string, env: Record<string, string> = {}, nodeFlags: string[] = []): Promise<BenchProcess> {
    return this.start({
      name: file,
      file: join(import.meta.dirname, file),
      env,
      nodeFlags: ['--import', TYPESCRIPT, ...nodeFlags],
      ready: /^ready (.*)$/m,
    });
  }

  /** Rounds of all contenders, after one that is not counted: caches fill, code is compiled. */
  async measure(contenders: Contender[], rounds = this.options.rounds): Promise<Sample[][]> {
    const { say, scale } = this.options;
    if (scale !== 'tiny') await interleave(1, contenders);
    return interleave(rounds, contenders, (round, { name }, sample) => {
      const told = Object.entries(sample).map(([key, value]) => `${key} ${readable(value)}`);
      say(`  round ${round}  ${name.padEnd(8)} ${told.join('  ')}`);
    });
  }

  /** Ends every process and server, and removes what they wrote. */
  async close(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((one) => one.stop('SIGTERM')));
    await Promise.all(this.clients.splice(0).map((client) => client.end().catch(() => undefined)));
    await Promise.all(this.servers.splice(0).map((server) => server.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startPostgres(): Promise<string> {
    const options = { folder: join(this.folder, 'postgres'), durable: true };
    const server = await startPostgres(options);
    if (!this.options.profile) return this.keep(Promise.resolve(server));
    await countStatements(server.url);
    await server.stop();
    return this.keep(startPostgres(options));
  }

  private startRedis(): Promise<string> {
    const program = findOrInstallRedis();
    if (!program) throw new Error('The benchmark needs Redis: install redis-server.');
    return this.keep(startRedis({ program, folder: join(this.folder, 'redis'), durable: true }));
  }

  private async keep(coming: Promise<EmbeddedServer>): Promise<string> {
    const server = await coming;
    this.servers.push(server);
    return server.url;
  }
}

/** From the next start on. */
async function countStatements(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("alter system set shared_preload_libraries = 'pg_stat_statements'");
  await client.query('alter system set pg_stat_statements.track_planning = on');
  await client.end();
}
