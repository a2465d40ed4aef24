import { join } from 'node:path';
import type pg from 'pg';
import { v7 as uuid } from 'uuid';
import { issueToken } from '#libs/identity/access-tokens.js';
import type { Bench } from './bench.js';
import type { BenchProcess } from './bench-process.js';
import { UNLIMITED_PLANS } from './unlimited.js';

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');
const SAMPLER = join(import.meta.dirname, 'profile/sampler.mjs');
const SECRETS = {
  JWT_SECRET: 'a secret of the benchmark, long enough for it',
  PLATEN_MASTER_KEY: 'a master key of the benchmark, long enough for it',
};

export interface PlatenUser {
  id: string;
  headers: { authorization: string };
}

/** The built program: one API, and workers where asked for, on a database and a Redis of their own. */
export class Platen {
  /** Those that run, for the profile. */
  readonly processes = new Map<string, BenchProcess>();

  private constructor(
    readonly bench: Bench,
    readonly databaseUrl: string,
    /** For looking at rows. */
    readonly rows: pg.Client,
    private readonly env: Record<string, string>,
    readonly api: BenchProcess,
  ) {
    this.processes.set('API', api);
  }

  static async start(bench: Bench, name: string, env: Record<string, string> = {}): Promise<Platen> {
    const databaseUrl = await bench.database(name);
    const all = {
      ...SECRETS,
      DATABASE_URL: databaseUrl,
      REDIS_URL: await bench.redisUrl(1),
      PLATEN_HOME: join(bench.folder, name),
      PLANS: JSON.stringify(UNLIMITED_PLANS),
      ...env,
    };
    const api = await bench.start({
      name: `Platen API of ${name}`,
      file: MAIN,
      args: ['api'],
      env: { ...all, PORT: '0' },
      ready: /^The API is ready at (\S+)$/m,
      nodeFlags: sampled(bench),
    });
    return new Platen(bench, databaseUrl, await bench.connect(databaseUrl), all, api);
  }

  get url(): string {
    return this.api.answer;
  }

  async worker(env: Record<string, string> = {}): Promise<BenchProcess> {
    const worker = await this.bench.start({
      name: 'Platen worker',
      file: MAIN,
      args: ['worker'],
      env: { ...this.env, WORKER_CONCURRENCY: '10', ...env },
      ready: /^The worker is (ready)$/m,
      nodeFlags: sampled(this.bench),
    });
    this.processes.set('worker', worker);
    return worker;
  }

  /** Users who own more credits than a benchmark can spend. */
  async users(count: number): Promise<PlatenUser[]> {
    const admin = userOf(uuid(), 'admin');
    const users = Array.from({ length: count }, () => userOf(uuid()));
    for (const { id } of users) {
      await this.post(admin, '/admin/credits/grant', { user_id: id, amount: 1_000_000, reason: 'a benchmark' });
    }
    return users;
  }

  /** `data` of the answer. */
  async post<Data>({ headers }: Pick<PlatenUser, 'headers'>, path: string, body: object): Promise<Data> {
    const answer = await fetch(new URL(path, this.url), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { success, data, error } = (await answer.json()) as { success: boolean; data: Data; error: string };
    if (!success) throw new Error(`${path}: ${answer.status} ${error}`);
    return data;
  }
}

function userOf(id: string, role: 'user' | 'admin' = 'user'): PlatenUser {
  return { id, headers: { authorization: `Bearer ${issueToken(SECRETS.JWT_SECRET, { sub: id, role })}` } };
}

const sampled = ({ options }: Bench): string[] => (options.profile ? ['--import', SAMPLER] : []);
