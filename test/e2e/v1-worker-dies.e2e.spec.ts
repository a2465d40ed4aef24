import { setTimeout as delay } from 'node:timers/promises';
import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import { eventually } from '../setup/eventually.js';
import type { Client } from './client.js';
import { PlatenProcesses, type Api } from './platen-processes.js';

const PATH = '/api/v1/generations';
/** On the free plan one may be in flight. */
const FREED_MS = 1_000;
/** A machine that does other things, too. */
const BUSY_MS = 9_000;

interface View {
  id: string;
  predictionId: string | null;
  status: string;
}

describe('a worker that dies while it begins a prediction', () => {
  let replicate: ReplicateServer;
  let platen: PlatenProcesses;
  let api: Api;
  let user: Client;

  beforeAll(async () => {
    replicate = await ReplicateServer.start({ createMs: 2_000 });
    platen = await PlatenProcesses.prepare({
      V1_WAIT_SECONDS: '0', WORKER_LANES: 'provider,default', ALLOWED_HOSTS: replicate.deliveryHost,
      REPLICATE_BASE_URL: replicate.apiUrl, REPLICATE_API_TOKEN: replicate.token,
    });
    api = await platen.api();
    user = await platen.richClient(api, 10);
  });
  afterAll(async () => {
    await platen.close();
    await replicate.close();
  });

  const submit = () => user.request<View>('POST', PATH, { body: { prompt: 'a fox' } });

  it('leaves its place in flight taken until the next one has ended it, and then free at once', async () => {
    const worker = await platen.worker();
    const { status, body } = await submit();
    expect(status).toBe(202);
    await eventually(() => expect(replicate.count(/^POST models/)).toBe(1), 20_000);
    await worker.end('SIGKILL');
    expect((await submit()).body.code).toBe('TOO_MANY_INFLIGHT');
    await platen.worker();
    const job = await user.ended(body.data.id);
    const endedAt = performance.now();
    while ((await submit()).status !== 202) await delay(20);
    expect(performance.now() - endedAt).toBeLessThan(FREED_MS + BUSY_MS);
    expect(job).toMatchObject({ status: 'completed', cost: { held: 0, captured: 1 } });
    // What the dead one had begun was found again.
    expect(replicate.count(/^POST models/)).toBeLessThanOrEqual(2);
    const predictionId = replicate.predictions.ids().at(-1);
    expect(await user.read<View>(`${PATH}/${body.data.id}`)).toMatchObject({ status: 'succeeded', predictionId });
    expect(await platen.drift(api)).toEqual([]);
  });
});
