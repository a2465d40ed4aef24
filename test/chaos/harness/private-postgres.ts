import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import pg from 'pg';
import { startPostgres } from '../../../src/embedded/postgres.js';
import type { EmbeddedServer } from '../../../src/embedded/server-process.js';
import { createTemplate } from '../../setup/template.js';

/** A Postgres of the storm's own, which keeps what it promised: it can be stopped in any way. */
export class PrivatePostgres {
  private constructor(
    private readonly folder: string,
    private server: EmbeddedServer,
  ) {}

  static async start(folder: string): Promise<PrivatePostgres> {
    return new PrivatePostgres(folder, await startPostgres({ folder, durable: true }));
  }

  /** Changes with each start: processes reach it through a `FaultProxy`. */
  get url(): string {
    return this.server.url;
  }

  /** A migrated, empty database; its address as long as the server runs. */
  async createDatabase(): Promise<string> {
    const name = `storm_${uuid().replaceAll('-', '')}`;
    const template = await createTemplate(this.url);
    const admin = new pg.Client({ connectionString: this.url });
    await admin.connect();
    await admin.query(`create database ${name} template ${template}`).finally(() => admin.end());
    return name;
  }

  addressOf(database: string): string {
    const url = new URL(this.url);
    url.pathname = `/${database}`;
    return url.href;
  }

  /** `fast` ends sessions in order; `immediate` is a crash, after which it recovers from its log. */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    if (how === 'immediate') process.kill(this.pid, 'SIGQUIT');
    await this.server.stop();
  }

  async start(): Promise<void> {
    this.server = await startPostgres({ folder: this.folder, durable: true });
  }

  private get pid(): number {
    return Number.parseInt(readFileSync(join(this.folder, 'data', 'postmaster.pid'), 'utf8'), 10);
  }
}
