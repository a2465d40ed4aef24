import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { imageGraph } from '../../../test/factories/comfy-graphs.js';
import type { SubmittedJob } from '../../../test/factories/job.js';
import { account, booksAreRight, jobRow } from '../../../test/factories/reads.js';
import { buildRoad, type Road } from '../../../test/factories/road.js';
import { ComfyStandIn } from '../../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../../test/setup/eventually.js';
import { comfyWorkflowNode } from '../comfy-workflow.node.js';
import { STORAGE_FAILED } from '../node.js';

const JOBS = 100;
const POOL = { asideMs: 1_000, answerMs: 500, sockets: { pingMs: 2_000, idleMs: 60_000 } };
const PATIENCE = { silenceMs: 1_000, placeMs: 60_000 };

describe(`${JOBS} jobs over three servers`, () => {
  let road: Road;
  let standIns: ComfyStandIn[];
  let servers: ComfyServers;

  beforeAll(async () => {
    standIns = await Promise.all(
      (['0.3.64', '0.33.0', '0.33.0'] as const).map((version) => ComfyStandIn.start({ version })),
    );
    servers = new ComfyServers(standIns.map(({ url }) => url), POOL);
    road = await buildRoad({ nodes: [comfyWorkflowNode(servers, {} as RemoteImages, PATIENCE)] });
  });
  afterAll(async () => {
    await road.close();
    await servers.close();
    await Promise.all(standIns.map((server) => server.close()));
  });

  const submit = () => {
    const nodePayload = { graph: imageGraph(0.05), files: [], inputs: {}, models: [] } as never;
    const steps: Step[] = [{ id: 1, nodeName: 'comfy_workflow', nodePayload }];
    return road.submit({ steps, lane: 'provider', price: 2, credits: 3 });
  };
  const begun = () => standIns.map(({ executor }) => executor.begun.length);

  it('all end, each stored once and charged once, while one is killed and started again and one answers nothing', async () => {
    const [killed, silent] = standIns as [ComfyStandIn, ComfyStandIn, ComfyStandIn];
    const jobs: SubmittedJob[] = [];
    for (let count = 0; count < JOBS; count++) jobs.push(await submit());
    for (let workers = 0; workers < 2; workers++) road.worker({ lanes: ['provider'], concurrency: 4 }).start();

    await eventually(() => expect(begun().every((count) => count >= 3)).toBe(true), 40_000);
    await killed.kill();
    silent.silent = true;
    await eventually(() => expect(begun()[2]).toBeGreaterThan(20), 40_000);
    await killed.restart();
    const again = killed.executor;

    const open = async () => (await Promise.all(jobs.map(({ jobId }) => jobRow(road.database, jobId)))).filter(
      ({ status }) => status !== 'completed');
    await eventually(async () => expect(await open()).toEqual([]), 90_000);

    const files = await road.database.query<{ job_id: string; count: number }>(
      'select job_id, count(*)::int as count from flat_file group by job_id');
    expect(files.map(({ count }) => count)).toEqual(jobs.map(() => 1));
    for (const { userId } of jobs) expect(await account(road.database, userId)).toEqual({ balance: 1, held: 0, open: 0 });
    // Only a server that goes away while its file is fetched costs an attempt.
    const failures = await road.database.query<{ code: string }>(
      `select distinct error ->> 'code' as code from step_run where status <> 'completed'`);
    expect(['COMFYUI_UNAVAILABLE', STORAGE_FAILED]).toEqual(expect.arrayContaining(failures.map(({ code }) => code)));
    expect(again.begun.length).toBeGreaterThan(0);
    await booksAreRight(road.database);
  }, 180_000);
});
