import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import { issueToken } from '#libs/identity/access-tokens.js';
import type { Role } from '#libs/identity/caller.js';
import { Client } from './client.js';
import { Program } from './program.js';

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');
const READY_TIMEOUT_MS = 60_000;
const SECRETS = {
  JWT_SECRET: 'a secret of the end-to-end tests, long enough',
  PLATEN_MASTER_KEY: 'a master key of the end-to-end tests, long enough',
};

export type Variables = Record<string, string>;

/** Where processes work: they share the database, the folder and what is in the environment. */
export interface Place {
  databaseUrl: string;
  folder: string;
  variables: Variables;
}

export interface Api {
  url: string;
  program: Program;
}

/** The built program as operators run it: API and worker processes on one database and one storage folder. */
export class Processes {
  protected readonly started: Program[] = [];

  constructor(protected readonly place: Place) {}

  /** Where both roles keep files. */
  get storage(): string {
    return join(this.place.folder, 'storage');
  }

  /** Starts an API process on a free port; resolves with its address once it listens. */
  async api(variables: Variables = {}): Promise<Api> {
    const program = this.start('api', { PORT: '0', ...variables });
    return { program, url: await program.prints(/^The API is ready at (\S+)$/m, READY_TIMEOUT_MS) };
  }

  /** Starts a worker process; resolves once it takes generations. */
  async worker(variables: Variables = {}): Promise<Program> {
    const program = this.start('worker', variables);
    await program.prints(/^The worker is (ready)/m, READY_TIMEOUT_MS);
    return program;
  }

  /** A user of one API process; a new one unless `userId` says who. */
  client({ url }: Pick<Api, 'url'>, userId = uuid(), role: Role = 'user'): Client {
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

  /** Ends every process that runs, in order or not. */
  async close(): Promise<void> {
    await Promise.all(this.started.map((program) => program.end('SIGKILL')));
  }

  protected start(role: 'api' | 'worker', variables: Variables): Program {
    const { databaseUrl: DATABASE_URL, folder } = this.place;
    const places = { PLATEN_HOME: join(folder, 'home'), STORAGE_PATH: this.storage, DATABASE_URL };
    const environment = { LOG_LEVEL: 'info', ...SECRETS, ...places, ...this.place.variables, ...variables };
    const program = new Program([role], environment, folder, MAIN);
    this.started.push(program);
    return program;
  }
}
