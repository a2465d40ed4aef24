import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import type { BackingReadiness } from '#libs/backing-services/readiness.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { issueToken } from '#libs/identity/access-tokens.js';
import { call, outcomeOf } from '../../test/api/calls.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { JWT_SECRET } from '../../test/setup/api.js';
import { CuttableWay } from '../../test/setup/cuttable.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { PrivateRedis } from '../../test/setup/private-redis.js';
import { findTestRedis } from '../../test/setup/redis-program.js';
import { metricsAskedFor, missingIn } from '../../test/structure/monitoring.js';
import type { GenerationWorker } from './generation-worker.js';
import { startWorker, type RunningWorker } from './main.js';
import { Pulse } from './pulse.js';
import { WorkerHealth } from './worker-health.js';

const silent = pino({ level: 'silent' });

describe('the health of a worker', () => {
  let now: number;
  let pulse: Pulse;
  let health: WorkerHealth;
  const outcome = async (probe: () => unknown) => Promise.resolve().then(probe).then(() => 200, ({ status }) => status as number);
  const probes = async () => [await outcome(() => health.live()), await outcome(() => health.ready())];

  beforeEach(() => {
    now = 0;
    pulse = new Pulse(['default'], () => now);
    const backing = { check: async () => undefined, degraded: [] } as unknown as BackingReadiness;
    health = new WorkerHealth(pulse, backing, silent);
  });

  it('is bad 15 s after the last look that was answered, and dead 60 s after the last look, until the next', async () => {
    const seen: number[][] = [];
    for (now of [15_000, 15_001, 60_000, 60_001]) seen.push(await probes());
    expect(seen).toEqual([[200, 200], [200, 503], [200, 503], [503, 503]]);
    pulse.beat('default', false);
    expect(await probes()).toEqual([200, 503]);
    pulse.beat('default', true);
    expect(await probes()).toEqual([200, 200]);
  });

  it('is that of one who is not to be given work while it stops', async () => {
    pulse.rest();
    now = 100_000;
    expect(await probes()).toEqual([200, 503]);
  });
});

describe('the pulse of a running worker', () => {
  let road: Road;
  let worker: GenerationWorker;

  beforeAll(async () => {
    road = await buildRoad();
    worker = road.worker({ lanes: ['default'], concurrency: 1 });
    worker.start();
  });
  afterAll(() => road.close());

  const expectBeats = () => eventually(() => expect(worker.pulse.unservedForMs).toBeLessThan(500), 10_000);

  it('beats while there is nothing to do, and while every slot is taken', async () => {
    await expectBeats();
    await road.submit({ steps: [{ id: 1, nodeName: 'slow', nodePayload: { ms: 7_500 } }] });
    await eventually(async () => {
      expect(await road.database.query(`select from generation where status = 'processing'`)).toHaveLength(1);
    });
    await delay(6_000);
    const silence = worker.pulse.unservedForMs;
    expect(await road.database.query(`select from generation where status = 'processing'`)).toHaveLength(1);
    expect(silence).toBeLessThan(5_000);
  });

  it('stops when the loop that takes work is stuck, and beats again when it is not', async () => {
    let release = () => {};
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const methods = ['query', 'transaction', 'change'] as const;
    const originals = methods.map((method) => road.database[method]);
    methods.forEach((method, index) => {
      road.database[method] = (async (...args: never[]) => {
        await stuck;
        return (originals[index] as (...all: never[]) => unknown).apply(road.database, args);
      }) as never;
    });
    await eventually(() => expect(worker.pulse.stillForMs).toBeGreaterThan(4_000), 10_000);
    methods.forEach((method, index) => (road.database[method] = originals[index] as never));
    release();
    await expectBeats();
  });
});

describe('the probes of a worker process', () => {
  let test: TestDatabase;
  let way: CuttableWay;
  let home: string;
  let worker: RunningWorker;

  beforeAll(async () => {
    test = await createTestDatabase();
    way = await CuttableWay.to(test.url);
    home = await mkdtemp(join(tmpdir(), 'platen-worker-'));
  });
  afterEach(() => worker.close());
  afterAll(async () => {
    await way.cut();
    await test.close();
    await rm(home, { recursive: true });
  });

  const start = async (variables: Record<string, string> = {}) => {
    worker = await startWorker(
      loadEnvironment({
        NODE_ENV: 'test', LOG_LEVEL: 'silent', PLATEN_HOME: home, DATABASE_URL: way.url, WORKER_PORT: '0',
        JWT_SECRET, PLATEN_MASTER_KEY: 'a master key of the tests, long enough', ...variables,
      }),
    );
  };
  const get = (path: string, headers: Record<string, string> = {}) => call(`${worker.url}${path}`, { headers });
  const probes = async () => Promise.all(['live', 'ready'].map(async (probe) => outcomeOf(await get(`/health/${probe}`))));
  const admin = { authorization: `Bearer ${issueToken(JWT_SECRET, { sub: randomUUID(), role: 'admin' })}` };

  it('turn red with the database and green again, and never blame the worker for it', async () => {
    await start();
    expect(await probes()).toEqual(['200', '200']);
    expect((await get('/health/ready')).json).toEqual({
      success: true, data: { status: 'ready', degraded: [] }, error: null,
    });
    await way.cut();
    await eventually(async () => expect(await probes()).toEqual(['200', '503 SERVICE_UNAVAILABLE']), 10_000);
    await way.mend();
    await eventually(async () => expect(await probes()).toEqual(['200', '200']), 10_000);
  });

  it('are there for whoever asks, metrics only for operators, and nothing else', async () => {
    await start({ METRICS_TOKEN: 'prometheus' });
    const outcomes = [];
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: 'Bearer prometheus' }, admin]) {
      outcomes.push(outcomeOf(await get('/metrics', headers)));
    }
    expect(outcomes).toEqual(['401 UNAUTHENTICATED', '401 UNAUTHENTICATED', '200', '200']);
    await eventually(async () => {
      const { text } = await get('/metrics', admin);
      expect(text.includes('platen_oldest_unfinished_age_seconds 0')).toBe(true);
    }, 20_000);
    const here = metricsAskedFor().filter((name) => !/^platen_(http_|active_users$|event_streams$)/.test(name));
    expect(missingIn((await get('/metrics', admin)).text, here)).toEqual([]);
    for (const path of ['/', '/health', '/health/live/', '/jobs', '/constructor']) {
      expect([path, outcomeOf(await get(path, admin))]).toEqual([path, '404 NOT_FOUND']);
    }
    const post = await call(`${worker.url}/metrics`, { method: 'POST', headers: admin, body: {} });
    expect(outcomeOf(post)).toBe('404 NOT_FOUND');
  });

  (findTestRedis() ? it : it.skip)('say that Redis is away, without which work goes on', async () => {
    const redis = (await PrivateRedis.start())!;
    await start({ REDIS_URL: redis.url });
    const degraded = async () => (await get('/health/ready')).json?.data;
    await eventually(async () => expect(await degraded()).toEqual({ status: 'ready', degraded: [] }));
    await redis.kill();
    await eventually(async () => expect(await degraded()).toEqual({ status: 'ready', degraded: ['redis'] }), 10_000);
    await redis.start();
    await eventually(async () => expect(await degraded()).toEqual({ status: 'ready', degraded: [] }), 10_000);
    await redis.kill();
  });
});
