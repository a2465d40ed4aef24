import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import { issueToken } from '#libs/identity/access-tokens.js';
import type { Role } from '#libs/identity/caller.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { testRedisUrl } from '../setup/redis.js';
import { Client } from './client.js';
import { Program } from './program.js';

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');
const READY_TIMEOUT_MS = 60_000;
const SECRETS = {
  JWT_SECRET: 'a secret of the end-to-end tests, long enough',
  PLATEN_MASTER_KEY: 'a master key of the end-to-end tests, long enough',
};

type Variables = Record<string, string>;

// Tests that start processes take seconds; on a busy machine, many.
jest.setTimeout(90_000);

/** The built program as operators run it: API and worker processes on one database and one storage folder. */
export class PlatenProcesses {
  private readonly programs: Program[] = [];

  private constructor(
    private readonly testDatabase: TestDatabase,
    private readonly folder: string,
    private readonly variables: Variables,
  ) {}

  /** With a database and a folder of its own; starts no process yet. */
  static async prepare(variables: Variables = {}): Promise<PlatenProcesses> {
    const folder = mkdtempSync(join(tmpdir(), 'platen-processes-'));
    return new PlatenProcesses(await createTestDatabase(), folder, variables);
  }

  /** Where both roles keep files. */
  get storage(): string {
    return join(this.folder, 'storage');
  }

  /** Starts an API process on a free port; resolves with its address once it listens. */
  async api(variables: Variables = {}): Promise<Api> {
    const program = this.start('api', { PORT: '0', ...variables });
    return { program, url: await program.prints(/^The API is ready at (\S+)$/m, READY_TIMEOUT_MS) };
  }

  /** Starts a worker process; resolves once it takes generations. */
  async worker(variables: Variables = {}): Promise<Program> {
    const program = this.start('worker', variables);
    await program.prints(/^The worker is (ready)$/m, READY_TIMEOUT_MS);
    return program;
  }

  /** A user of one API process; a new one unless `userId` says who. */
  client({ url }: Api, userId = uuid(), role: Role = 'user'): Client {
    return new Client(url, userId, issueToken(SECRETS.JWT_SECRET, { sub: userId, role }));
  }

  /** A new user who owns `credits`. */
  async richClient(api: Api, credits: number): Promise<Client> {
    const client = this.client(api);
    await this.grant(api, client.userId, credits);
    return client;
  }

  async grant(api: Api, userId: string, amount: number): Promise<void> {
    const grant = { user_id: userId, amount, reason: 'a test' };
    await this.client(api, uuid(), 'admin').create('/admin/credits/grant', grant);
  }

  /** Accounts whose books are wrong, as the API's own check finds them. */
  async drift(api: Api): Promise<unknown[]> {
    const admin = this.client(api, uuid(), 'admin');
    const { drift } = await admin.create<{ drift: unknown[] }>('/admin/credits/reconcile', {});
    return drift;
  }

  /** Ends every process that runs, in order or not, and leaves nothing behind. */
  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.end('SIGKILL')));
    await this.testDatabase.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(role: 'api' | 'worker', variables: Variables): Program {
    const { url: DATABASE_URL } = this.testDatabase;
    const places = { PLATEN_HOME: join(this.folder, 'home'), STORAGE_PATH: this.storage, DATABASE_URL };
    const environment = { LOG_LEVEL: 'info', ...SECRETS, ...places, ...this.variables, ...variables };
    const program = new Program([role], environment, this.folder, MAIN);
    this.programs.push(program);
    return program;
  }
}

export interface Api {
  url: string;
  program: Program;
}

/**
 * Runs `tests` with queue and events carried by Postgres, and by Redis. A database of Redis of one's own
 * is not needed: a foreign wake-up or hint does no harm.
 */
export function describeWithEachBackend(name: string, tests: (variables: Variables) => void): void {
  describe(`${name}, with Postgres alone`, () => tests({}));
  const REDIS_URL = testRedisUrl();
  if (REDIS_URL) describe(`${name}, with Redis`, () => tests({ REDIS_URL }));
  else describe.skip(`${name}, with Redis (skipped: this machine has none)`, () => tests({}));
}
