import type { JobView } from '#libs/generations/job-view.js';
import { ComfyStandIn } from '../setup/comfyui/stand-in.js';
import { eventually } from '../setup/eventually.js';
import type { Client, Receipt } from './client.js';
import { PlatenProcesses, type Api } from './platen-processes.js';
import type { Program } from './program.js';

/** Sleeps as long as the form says, then saves an image of its width. */
const workflow = {
  name: 'sleeper',
  type: 'comfy_workflow',
  output_mime_type: 'image/png',
  visibility: 'private',
  data: {
    form: { fields: [{ id: 'wide', type: 'number', default: 8 }, { id: 'seconds', type: 'number', default: 0.2 }] },
    inputs: { 1: { width: { value: 'wide' }, color: { value: 'shade', default: 7 } }, 2: { seconds: { value: 'seconds' } } },
    workflow: {
      1: { class_type: 'EmptyImage', inputs: { width: 1, height: 8, batch_size: 1, color: 1 } },
      2: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds: 1 } },
      3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'sleeper' } },
    },
    required_models: { static: { checkpoints: ['sd15.safetensors'] } },
    credits: { base: 0, per_generation: 0.5 },
  },
};

describe('a ComfyUI workflow', () => {
  let standIn: ComfyStandIn;
  let platen: PlatenProcesses;
  let api: Api;
  let worker: Program;
  let artist: Client;
  let workflowId: string;

  beforeAll(async () => {
    standIn = await ComfyStandIn.start({ key: { name: 'authorization', value: 'Bearer t' } });
    platen = await PlatenProcesses.prepare({ COMFYUI_URLS: standIn.url.replace('//', '//bearer:t@') });
    [api, worker] = await Promise.all([platen.api(), platen.worker()]);
    artist = await platen.richClient(api, 10);
    workflowId = (await artist.create<{ id: string }>('/workflows', workflow)).id;
  });
  afterAll(async () => {
    await platen.close();
    await standIn.close();
  });

  const submit = async (variables = {}) =>
    (await artist.create<Receipt>('/api/collections/generate', { title: 'Sleep', workflow_id: workflowId, variables })).job_id;

  it('becomes pictures, paid once each', async () => {
    const job = await artist.ended(await submit({ wide: 16 }));
    expect(job).toMatchObject({ status: 'completed', cost: { captured: 0.5, held: 0 } });
    const [asset] = job.generations[0]!.assets;
    expect(asset).toMatchObject({ width: 16, height: 8, mime_type: 'image/png' });
    expect((await artist.download(asset!.url)).status).toBe(200);
  });

  it('names the field of the form whose value its server refuses', async () => {
    const job = await artist.ended(await submit({ wide: 0 }));
    expect(job).toMatchObject({ status: 'failed', cost: { captured: 0, held: 0 } });
    expect(job.generations[0]?.steps[0]?.error).toEqual({
      code: 'VALIDATION_ERROR', message: 'wide: Value 0 smaller than min of 1',
      details: [{ field: 'wide', message: 'Value 0 smaller than min of 1' }],
    });
  });

  it('goes on when its worker dies, and is not sent twice', async () => {
    const before = standIn.executor.begun.length;
    const jobId = await submit({ seconds: 3 });
    await eventually(() => expect(standIn.executor.running).not.toBeNull(), 20_000);
    const other = await platen.worker();
    worker.signal('SIGKILL');
    await worker.exited;
    worker = other;
    expect(await artist.ended(jobId)).toMatchObject({ status: 'completed' });
    expect(standIn.executor.begun.length).toBe(before + 1);
  });

  it('stops at its server when it is cancelled', async () => {
    const jobId = await submit({ seconds: 60 });
    await eventually(() => expect(standIn.executor.running).not.toBeNull(), 20_000);
    await eventually(async () => {
      const [generation] = (await artist.read<JobView>(`/jobs/${jobId}`)).generations;
      expect(generation?.steps[0]?.status).toBe('waiting');
    });
    await artist.create(`/jobs/${jobId}/cancel`, {});
    await eventually(() => expect(standIn.executor.remaining).toBe(0), 20_000);
  });
});
