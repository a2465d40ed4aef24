import type { DataSource } from 'typeorm';
import { Ledger } from '#libs/credits/ledger.js';
import { createDataSource } from '#libs/database/data-source.js';
import { Database } from '#libs/database/database.js';
import { LeaseLost, type Attempt, type Claim } from '#libs/engine/generation-store.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import pg from 'pg';
import { audit, filesIn } from '../../test/chaos/harness/audit.js';
import { FaultProxy } from '../../test/chaos/harness/fault-proxy.js';
import { submitJob } from '../../test/factories/job.js';
import { createOutside, testNodes } from '../../test/factories/nodes.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { eventually } from '../../test/setup/eventually.js';
import { testKeys } from '../../test/factories/keys.js';
import { claim } from './claims.js';
import { JobTransactions } from './job-transaction.js';
import { PostgresGenerationStore } from './postgres-generation-store.js';

const steps: Step[] = [
  { id: 1, nodeName: 'echo', nodePayload: { value: 1 } },
  { id: 2, nodeName: 'echo', nodePayload: { value: { $ref: 1 } } },
];
const PATIENCE_MS = 10_000;
const start = (step: number, attempt = 1) => [
  { stepId: String(step), node: 'echo', alias: null, attempt, inputDigest: null },
];
const output = { assets: [], value: 1, traits: [] };
const workedOut = start(2).map((begun) => ({ ...begun, result: { output, logs: [] } }));
const finished = (attempt: Attempt) => [{ attempt, node: 'echo', alias: null, output, logs: [] }];
const failure = { code: 'OUTAGE', message: 'Try later', logs: [] };

type Write = (store: PostgresGenerationStore, claimed: Claim, attempt: Attempt) => Promise<unknown>;

/** What a worker writes, and what of it, or its commit, the answer is lost of. */
const WRITES: Array<[name: string, lost: RegExp, write: Write]> = [
  ['a checkpoint', /checkpoint/, (store, { lease, state }, attempt) => store.checkpoint(lease, state, finished(attempt), [])],
  [
    'a checkpoint that begins the next step', /checkpoint/,
    (store, { lease, state }, attempt) => store.checkpoint(lease, state, finished(attempt), start(2)),
  ],
  [
    'a step that is done as it begins', /checkpoint/,
    (store, { lease, state }) => store.checkpoint(lease, state, [], workedOut),
  ],
  [
    'an end that brings such a step', /finish/,
    (store, { lease, state }, attempt) => store.finish(lease, state, finished(attempt), workedOut),
  ],
  ['the start of a step', /checkpoint/, (store, { lease, state }) => store.checkpoint(lease, state, [], start(2))],
  ['a failure', /commit/, (store, { lease }, attempt) => store.failStep(lease, attempt, failure, 10)],
  ['a hand-back', /commit/, (store, { lease }) => store.handBack(lease)],
  ['a breakdown', /commit/, (store, { lease }) => store.breakOff(lease)],
];

describe('a write that Postgres commits, and whose answer is lost', () => {
  let road: Road;
  let way: FaultProxy;
  let dataSource: DataSource;
  let store: PostgresGenerationStore;
  let client: pg.Client;

  beforeAll(async () => {
    road = await buildRoad();
    way = await FaultProxy.to(road.url, Math.random);
    dataSource = await createDataSource({ url: way.url, poolSize: 4 }).initialize();
    const database = new Database(dataSource, PATIENCE_MS);
    const jobs = new JobTransactions(database, new Ledger(), road.bus);
    const registry = new NodeRegistry(testNodes(createOutside()));
    store = new PostgresGenerationStore(database, jobs, registry, road.queue, testKeys(database), 60_000);
    client = new pg.Client({ connectionString: road.url });
    await client.connect();
  });
  afterEach(() => road.database.query('truncate account cascade'));
  afterAll(async () => {
    await client.end();
    await dataSource.destroy();
    await way.close();
    await road.close();
  });

  /** A worker has taken the generation, and begun its first step. */
  async function begun(): Promise<{ claimed: Claim; attempt: Attempt }> {
    const { jobId, userId } = await submitJob(road.database, { steps });
    await road.database.query(
      `insert into usage_entry (user_id, face, job_id, key, generations) values ($1, 'collections', $2, $3, 1)`,
      [userId, jobId, `job:${jobId}:submit`],
    );
    const claimed = (await claim(road.database, testKeys(road.database), { lane: 'default', worker: 'test', idle: true })) as Claim;
    const [attempt] = await road.store.begin(claimed.lease, claimed.state, start(1));
    return { claimed, attempt: attempt as Attempt };
  }

  /** The worker dies; others end what it has left. */
  async function endByOthers(): Promise<void> {
    await road.database.query("update generation set lease_until = now() - interval '1 second' where lease_until > now()");
    const worker = road.worker();
    worker.start();
    await eventually(async () => {
      await road.reconciler.sweep();
      const open = await road.database.query("select from job where status not in ('completed', 'failed')");
      expect(open).toEqual([]);
    }, 20_000);
    await worker.stop();
  }

  it.each(WRITES)('counts once: %s', async (_name, match, write) => {
    const { claimed, attempt } = await begun();
    const hits = way.hits['done-but-said-failed'];
    way.inflict({ kind: 'done-but-said-failed', probability: 1, match, times: 1 });
    // Asked again it may say that it was done, or that the lease is another's now; never do it twice.
    await write(store, claimed, attempt).catch((error: unknown) => {
      if (!(error instanceof LeaseLost)) throw error;
    });
    expect(way.hits['done-but-said-failed']).toBe(hits + 1);
    await endByOthers();
    expect((await audit({ database: client, files: filesIn(road.storageFolder) })).violations).toEqual([]);
  });
});
