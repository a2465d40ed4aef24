import type pg from 'pg';
import { v7 as uuid } from 'uuid';
import type { Bench } from './bench.js';
import type { BenchProcess } from './bench-process.js';
import { createUsers, OUTBOX } from './floors/rows.js';
import type { SubmitLoad } from './load/submitters.js';

/** The bare submission server, on a database and a Redis of its own. */
export class BareSubmit {
  private constructor(
    readonly server: BenchProcess,
    readonly env: Record<string, string>,
    readonly rows: pg.Client,
    readonly users: string[],
  ) {}

  static async start(bench: Bench, users: number): Promise<BareSubmit> {
    const env = { DATABASE_URL: await bench.database('bare'), REDIS_URL: await bench.redisUrl(2) };
    const rows = await bench.connect(env.DATABASE_URL);
    await rows.query(OUTBOX);
    const ids = await createUsers(rows, users);
    return new BareSubmit(await bench.startScript('floors/submit-server.ts', env), env, rows, ids);
  }

  /** Where and what to submit. */
  load(): Pick<SubmitLoad, 'url' | 'path' | 'callers' | 'body'> {
    return {
      url: this.server.answer,
      path: '/submit',
      callers: this.users.map((id) => ({ body: { user_id: id } })),
      body: { title: 'Benchmark', workflow_id: uuid(), generations: 1 },
    };
  }
}
