import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { ChatModel } from '#libs/providers/chat-model.js';
import { booksAreRight, generationRows, jobEnds, stepRuns } from '../../test/factories/reads.js';
import { buildRoad, type Road } from '../../test/factories/road.js';
import { ChatServer } from '../../test/setup/chat-server.js';
import type { NodeContext } from './node.js';
import { promptNode } from './prompt.node.js';

describe('a prompt step with a model', () => {
  let server: ChatServer;
  let client: OutboundClient;
  let road: Road;
  const chat = (more = {}) => new ChatModel(client, { baseUrl: server.url, apiKey: 'sk-1', isSetUp: true, ...more });

  beforeAll(async () => {
    server = await ChatServer.start();
    client = new OutboundClient({ allowedHosts: [server.host] });
    const unset = { ...promptNode(chat({ isSetUp: false })), name: 'unset' };
    road = await buildRoad({ nodes: [promptNode(chat()), unset] });
    road.worker().start();
  });
  beforeEach(() => {
    server.calls.length = 0;
    server.plan = ({ message }) => `You said: ${message}`;
  });
  afterEach(() => booksAreRight(road.database));
  afterAll(async () => {
    await road.close();
    await client.close();
    server.close();
  });

  async function ends(status: string, payload: object = {}, nodeName = 'prompt') {
    const steps = [{ id: 1, nodeName, nodePayload: { model: 'm', template: 'a {fox|fox}', ...payload } }];
    const { jobId } = await road.submit({ steps: steps as never });
    await jobEnds(road.database, jobId, status, 15_000);
    const runs = await stepRuns(road.database, jobId);
    return { runs, value: runs.at(-1)?.output?.value, error: (await generationRows(road.database, jobId))[0]?.error };
  }
  const keys = () => new Set(server.calls.map(({ headers }) => headers['idempotency-key']));

  it('gives what the model answers to the text', async () => {
    const { value } = await ends('completed', { template: 'a {same|same} fox' });
    expect(value).toBe('You said: a same fox');
    expect(server.calls).toMatchObject([{ model: 'm', message: 'a same fox', headers: { authorization: 'Bearer sk-1' } }]);
  });

  it('asks again, under the same key, where the model is busy or away, without an attempt spent', async () => {
    server.plan = (_call, before) =>
      [{ status: 429, headers: { 'retry-after': '1' } }, { status: 503 }, { isLost: true as const }][before] ?? 'at last';
    const { value, runs } = await ends('completed');
    expect([value, runs.length, server.calls.length, keys().size]).toEqual(['at last', 1, 4, 1]);
  }, 20_000);

  it('counts refusals of a busy model apart from its failures', async () => {
    server.plan = (_call, before) => [
      ...Array.from({ length: 4 }, () => ({ status: 429, headers: { 'retry-after': '1' } })), { status: 503 },
    ][before] ?? 'at last';
    expect((await ends('completed')).value).toBe('at last');
  }, 20_000);

  it.each([
    [{ status: 401 }, 'UPSTREAM_ERROR'],
    [{ status: 404 }, 'VALIDATION_ERROR'],
    [{ status: 400 }, 'VALIDATION_ERROR'],
    [{ body: {} }, 'UPSTREAM_ERROR'],
    [{ body: { choices: [{ message: { content: null, refusal: 'secret' } }] } }, 'VALIDATION_ERROR'],
    [{ body: { choices: [{ message: { content: 'x'.repeat(1024 ** 2) } }] } }, 'UPSTREAM_ERROR'],
  ])('fails once, in words of ours: %#', async (answer, code) => {
    server.plan = () => answer;
    const { error, runs } = await ends('failed');
    expect(error?.code).toBe(code);
    expect(JSON.stringify(error)).not.toContain('secret');
    expect([runs.length, server.calls.length]).toEqual([1, 1]);
  });

  it('says when no model is set up, and asks nobody', async () => {
    const { error } = await ends('failed', {}, 'unset');
    expect(error).toMatchObject({ code: 'UPSTREAM_ERROR', message: expect.stringContaining('OPENAI_API_KEY') });
    expect(server.calls).toHaveLength(0);
  });

  it('gives the question of an attempt whose worker died its key again', async () => {
    const node = promptNode(chat());
    const context = {
      payload: { template: 'x', model: 'm' }, token: 'new', signal: AbortSignal.timeout(5_000), random: {},
    } as unknown as NodeContext;
    const reference = await node.find!(context, 'lost');
    expect(await node.poll!(context, reference)).toMatchObject({ kind: 'done', value: 'You said: x' });
    expect([...keys()]).toEqual(['lost']);
    expect(await node.find!({ ...context, payload: { template: 'x' } }, 'lost')).toBeNull();
  });
});
