import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageGraph, node, shownBy } from '../../test/factories/comfy-graphs.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { eventually } from '../../test/setup/eventually.js';
import { NoServerAble } from './comfy-error.js';
import { ComfyServers } from './comfy-servers.js';

const TIMES = { asideMs: 400, answerMs: 1_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };

describe('ComfyServers', () => {
  let one: ComfyStandIn;
  let other: ComfyStandIn;
  let servers: ComfyServers;

  beforeEach(async () => {
    one = await ComfyStandIn.start({ models: { checkpoints: ['both.safetensors'], loras: ['one\\ink.safetensors'] } });
    other = await ComfyStandIn.start({ models: { checkpoints: ['both.safetensors'] }, without: ['SaveAudio'] });
    servers = new ComfyServers([one.url, other.url], TIMES);
  });
  afterEach(async () => {
    await servers.close();
    await one.close();
    await other.close();
  });

  const able = async (...order: Parameters<ComfyServers['able']>) => (await servers.able(...order)).map(({ name }) => name);
  const counts = ({ requests }: ComfyStandIn) => requests.filter((request) => request.endsWith('/api/prompt')).length;

  it('gives the least busy one first, by its queue and by what was sent since', async () => {
    const graph = imageGraph();
    await servers.find(one.name)!.submit(imageGraph(5), randomUUID(), 'x');
    expect(await able(graph, [])).toEqual([other.name, one.name]);
    for (let sent = 0; sent < 2; sent++) servers.sent(servers.find(other.name)!, randomUUID());
    expect(await able(graph, [])).toEqual([one.name, other.name]);
    expect(counts(other)).toBe(1);
  });

  it('gives only those that have the nodes and the models', async () => {
    expect(await able(shownBy('SaveAudio'), [])).toEqual([one.name]);
    expect(await able(imageGraph(), [{ kind: 'loras', name: 'one/ink.safetensors' }])).toEqual([one.name]);
    await expect(able({ 1: node('NopeNode') }, [])).rejects.toThrow('No server has the node NopeNode');
    await expect(able(imageGraph(), [{ kind: 'vae', name: 'x' }])).rejects.toThrow(NoServerAble);
  });

  it('passes over one that does not answer, for a while, and asks it once at a time when that is over', async () => {
    one.silent = true;
    expect(await able(imageGraph(), [])).toEqual([other.name]);
    const asked = one.requests.length;
    expect(await able(imageGraph(), [])).toEqual([other.name]);
    expect(one.requests.length).toBe(asked);
    await sleep(TIMES.asideMs);
    const order: string[] = [];
    const tries = ['tries it', 'passes'].map((how) => able(imageGraph(), []).then(() => order.push(how)));
    await Promise.all(tries);
    expect(order).toEqual(['passes', 'tries it']);
    one.silent = false;
    await eventually(async () => expect(await able(imageGraph(), [])).toHaveLength(2));
  });

  it('asks once what nodes there are when a graph has many, and keeps servers that are slow to say', async () => {
    const graph = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [index, node(`Class${index}`)]));
    await expect(able({ ...imageGraph(), ...graph }, [])).rejects.toThrow('No server has the node Class7');
    expect(one.requests.filter((request) => request.includes('object_info'))).toEqual(['GET /api/object_info']);
    one.beforeAnswer = other.beforeAnswer = async (request) => {
      if (/object_info|models/.test(request)) await sleep(TIMES.answerMs + 500);
    };
    expect(await able({ 1: node('Another') }, [])).toEqual([]);
    const [slow, lora] = [{ kind: 'slow', name: 'x' }, { kind: 'loras', name: 'one/ink.safetensors' }];
    expect(await servers.modelsOf([slow, lora])).toEqual([slow, lora].map((file) => ({ ...file, available: false, servers: [] })));
    expect(await servers.lackedModels([slow])).toEqual([]);
    expect([one, other].map(({ name }) => servers.isAside(servers.find(name)!))).toEqual([false, false]);
    one.beforeAnswer = other.beforeAnswer = () => undefined;
    expect(await servers.lackedModels([slow, lora])).toEqual([slow]);
    expect(await able(imageGraph(), [])).toHaveLength(2);
  });

  it('does not judge what cannot run while one that might is away', async () => {
    await one.kill();
    expect(await able(shownBy('SaveAudio'), [])).toEqual([]);
  });

  it('tells which models there are, and where', async () => {
    const models = [{ kind: 'checkpoints', name: 'both.safetensors' }, { kind: 'loras', name: 'one/ink.safetensors' }, { kind: 'loras', name: 'nope' }];
    expect(await servers.modelsOf(models)).toEqual([
      { ...models[0], available: true, servers: [one.name, other.name] },
      { ...models[1], available: true, servers: [one.name] },
      { ...models[2], available: false, servers: [] },
    ]);
    const asked = one.requests.length;
    await servers.modelsOf(models);
    expect(one.requests.length).toBe(asked);
  });

  it('tells of servers neither keys nor paths', async () => {
    const older = await ComfyStandIn.start({ version: '0.3.64' });
    const proxied = new ComfyServers([`${older.url.replace('//', '//bearer:secret@')}/api`, `${older.url}/api`], TIMES);
    const [model] = await proxied.modelsOf([{ kind: 'checkpoints', name: 'sd15.safetensors' }]);
    await proxied.close();
    await older.close();
    expect(model?.servers).toEqual([new URL(older.url).host]);
  });

  it('finds a prompt, and cancels what a silent server was left with once it answers', async () => {
    const [id, server] = [randomUUID(), servers.find(one.name)!];
    await server.submit(imageGraph(5), id, 'x');
    expect((await servers.locate(id))?.name).toBe(one.name);
    expect(await servers.locate(randomUUID())).toBeUndefined();
    servers.abandon(server, id);
    expect(await servers.locate(id)).toBeUndefined();
    await eventually(async () => {
      await able(imageGraph(), []);
      expect(one.executor.remaining).toBe(0);
    });
  });
});
