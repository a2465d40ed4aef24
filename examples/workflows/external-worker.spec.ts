import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NIL } from 'uuid';
import type { Database } from '#libs/database/database.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { directJobNode } from '#libs/nodes/direct-job.node.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { createServiceQueue } from '#libs/queue/index.js';
import type { ServiceQueue } from '#libs/queue/service-queue.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { directJobKind } from '#libs/workflows/kinds/direct-job.kind.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';
import { kindNode } from '../../test/factories/kind-node.js';
import { jobEnds } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { testRedisUrl } from '../../test/setup/redis.js';

const WORKER = fileURLToPath(new URL('../workers/echo-worker.mjs', import.meta.url));
const read = (name: string) => readFileSync(new URL(`external-worker/${name}`, import.meta.url), 'utf8');
const part = (name: string) => JSON.parse(read(`${name}.json`)) as JsonObject;
const data = { form: part('form'), inputs: part('inputs'), job: part('job'), test: part('test'), credits: read('credits.js') };
const values = { ...data.test } as JsonObject;
const redisUrl = testRedisUrl();

describe('the external worker of the examples', () => {
  let sandbox: QuickJsSandbox;
  let client: OutboundClient;
  beforeAll(() => {
    sandbox = new QuickJsSandbox();
    client = new OutboundClient();
  });
  afterAll(async () => {
    await sandbox.close();
    await client.close();
  });

  it('belongs to a workflow that is one as it stands', async () => {
    const nothingStored = { query: async () => [] } as unknown as Database;
    const registry = new NodeRegistry([directJobNode({} as ServiceQueue, sandbox, client)]);
    const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(nothingStored), registry));
    const workflow = { name: 'external-worker', type: 'direct_job', data };
    expect(await check.faultsOf(workflow, { userId: NIL, role: 'user' })).toEqual([]);
  });

  it('has fewer lines than sixty', () => {
    expect(readFileSync(WORKER, 'utf8').trimEnd().split('\n').length).toBeLessThan(60);
  });

  describe.each([...(redisUrl ? ['redis'] : []), 'postgres'])('on %s', (carrier) => {
    let outside: TestDatabase;
    let services: ServiceQueue;
    let road: Road;
    let worker: ChildProcess;

    beforeAll(async () => {
      outside = await createTestDatabase();
      services = createServiceQueue({ databaseUrl: outside.url, ...(carrier === 'redis' && { redisUrl }) });
      await services.find('echo', 'nobody');
      road = await buildRoad({ nodes: [kindNode('job', directJobKind, directJobNode(services, sandbox, client))] });
      road.worker().start();
      const env = { PATH: process.env['PATH'], ...(carrier === 'redis' ? { REDIS_URL: redisUrl } : { DATABASE_URL: outside.url }) };
      worker = spawn(process.execPath, [WORKER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      await once(worker.stdout!, 'data');
    }, 20_000);
    afterAll(async () => {
      const gone = once(worker, 'exit');
      worker.kill('SIGTERM');
      await gone;
      await road.close();
      await services.close();
      await outside.close();
    }, 20_000);

    it('paints the sample', async () => {
      const payload = { data, values, outputType: 'image/png' };
      const { jobId } = await road.submit({ steps: [{ id: 1, nodeName: 'job', nodePayload: payload as never }], lane: 'provider' });
      await jobEnds(road.database, jobId, 'completed', 15_000);
      const files = await road.database.query('select mime_type, width, height from flat_file where job_id = $1 and shown', [jobId]);
      expect(files).toEqual([{ mime_type: 'image/png', width: 128, height: 128 }]);
    }, 20_000);
  });
});
