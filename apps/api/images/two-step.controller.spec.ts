import { goodDays } from '#libs/providers/stand-in/dials.js';
import { ImageFaces, someKey } from '../../../test/factories/image-faces.js';
import { booksAreRight, waitingForLocks } from '../../../test/factories/reads.js';
import { eventually } from '../../../test/setup/eventually.js';

const BODY = {
  productImages: ['https://images.example/shoe.jpg'], modelImages: ['https://images.example/anna.jpg'],
  model: 'google/nano-banana', style: 'realistic', quality: 'high', aspectRatio: '4:5', customPrompt: 'on a beach, {{x}}',
  parameters: { seed: 7 },
};
const CREATE = 'POST /api/generation/create';
const BEGIN = 'POST /api/generate';
const at = (id: unknown) => `/api/generation/${String(id)}`;

describe('two-step generation', () => {
  let faces: ImageFaces;
  let userId: string;
  beforeAll(async () => {
    faces = await ImageFaces.start({ PLANS: JSON.stringify({ free: { maxInFlight: 2, monthlyGenerations: 4 } }), MODERATED_TERMS: 'red lion' });
  });
  beforeEach(async () => {
    Object.assign(faces.replicate.dials, goodDays());
    userId = await faces.user();
  });
  afterEach(() => booksAreRight(faces.api.database));
  afterAll(() => faces.close());

  const create = async (differs: object = {}) =>
    String((await faces.call(userId, CREATE, { ...BODY, ...differs })).json.data['generationId']);

  it('reserves and records, and makes nothing before it is told to', async () => {
    const { status, json } = await faces.call(userId, CREATE, BODY);
    expect(status).toBe(201);
    expect(json.data).toEqual({
      generationId: expect.any(String), estimatedCost: 1, status: 'pending',
      prompt: expect.stringMatching(/person in the last image.*Photorealistic.*Highest quality.*4:5.*on a beach, \{\{x\}\}/s),
      message: 'Generation record created successfully',
    });
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 1, open: 1, inFlight: 0, used: 1 });
    expect(faces.replicate.count(/^POST models/)).toBe(0);
    expect(await faces.becomes(userId, at(json.data['generationId']), 'pending')).toMatchObject({ resultImages: [], tokensUsed: 0 });
  });

  it('takes no more than it must have', async () => {
    const { modelImages: _models, customPrompt: _prompt, parameters: _parameters, ...least } = BODY;
    const { status, json } = await faces.call(userId, CREATE, least);
    expect([status, json.data['prompt']]).toEqual([201, expect.stringMatching(/^Create a picture of the product in the first image/)]);
  });

  it('then makes the images, and charges for them', async () => {
    const id = await create();
    const begun = await faces.call(userId, BEGIN, { generationId: id });
    expect(begun.status).toBe(202);
    expect(begun.json.data).toEqual({
      generationId: id, resultImages: [], status: 'processing', message: 'Generation processing started successfully',
    });
    const done = await faces.becomes(userId, at(id), 'completed');
    expect(done).toMatchObject({
      productImages: BODY.productImages, modelImages: BODY.modelImages, tokensUsed: 1, estimatedCost: 1, retryCount: 0, error: null,
      parameters: { model: 'google/nano-banana', style: 'realistic', quality: 'high', aspectRatio: '4:5', seed: 7 },
      createdAt: expect.any(Number), completedAt: expect.any(Number), processingTime: expect.any(Number),
    });
    const [url] = done['resultImages'] as string[];
    expect(url).toMatch(/\/files\/public\/renders\/[0-9a-f-]{36}\/0\.jpg$/);
    const image = await fetch(url!);
    expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(await faces.account(userId)).toEqual({ balance: 99, held: 0, open: 0, inFlight: 0, used: 1 });
    const [prediction] = faces.replicate.predictions.ids().map((each) => faces.replicate.predictions.show(each));
    expect(prediction!['input']).toMatchObject({ image_input: [...BODY.productImages, ...BODY.modelImages], aspect_ratio: '4:5', seed: 7 });
  });

  it('does both for an older client that sends a full body', async () => {
    const { status, json } = await faces.call(userId, BEGIN, BODY, { prefer: 'wait=20' });
    expect({ status, data: json.data }).toMatchObject({ status: 202, data: { status: 'completed', resultImages: [expect.any(String)] } });
  });

  it('begins a record once, however often it is told', async () => {
    const id = await create();
    const told = await Promise.all(Array.from({ length: 5 }, () => faces.call(userId, BEGIN, { generationId: id })));
    expect(told.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409]);
    expect(told.find(({ status }) => status === 409)!.json.code).toBe('INVALID_GENERATION_STATUS');
    await faces.becomes(userId, at(id), 'completed');
    expect(faces.replicate.predictions.ids().filter((each) => faces.replicate.predictions.show(each)).length).toBeGreaterThan(0);
  });

  it('answers a repeated key with the same text', async () => {
    const key = someKey();
    const [first, second] = [await faces.call(userId, CREATE, BODY, key), await faces.call(userId, CREATE, BODY, key)];
    expect(second.text).toBe(first.text);
    const again = someKey();
    const id = { generationId: first.json.data['generationId'] };
    const [begun, replayed] = [await faces.call(userId, BEGIN, id, again), await faces.call(userId, BEGIN, id, again)];
    expect([replayed.status, replayed.text, replayed.headers.get('idempotency-replayed')]).toEqual([202, begun.text, 'true']);
  });

  it('begins once for one key in two processes, and answers both alike', async () => {
    const another = await faces.api.another({ PORT: '0' });
    const [key, id] = [someKey(), await create()];
    const request = {
      method: 'POST', headers: { ...faces.api.as(userId), ...key, 'content-type': 'application/json' },
      body: JSON.stringify({ generationId: id }),
    };
    // Both are on their way before either may go on.
    const twins = await faces.api.database.transaction(async (tx) => {
      await tx.query('select 1 from job where id = $1 for update', [id]);
      const told = [faces.api, another].map(async ({ url }) => {
        const answer = await fetch(`${url}/api/generate`, request);
        return [answer.status, await answer.text()] as const;
      });
      await eventually(async () => expect(await waitingForLocks(faces.api.database)).toBe(2));
      return { told };
    });
    const [one, two] = await Promise.all(twins.told);
    expect([one![0], two]).toEqual([202, one]);
    await faces.becomes(userId, at(id), 'completed');
    await another.close();
  });

  it('has no more in flight than the plan allows, and no more a month', async () => {
    faces.replicate.dials.runMs = 3_000;
    const ids = [await create(), await create(), await create()];
    const told = [];
    for (const generationId of ids) told.push(await faces.call(userId, BEGIN, { generationId }));
    expect(told.map(({ status, json }) => json.code ?? status)).toEqual([202, 202, 'TOO_MANY_INFLIGHT']);
    await create();
    const over = await faces.call(userId, CREATE, BODY);
    expect(over.json).toMatchObject({ code: 'LIMIT_EXCEEDED', details: { plan: 'free', limit: 4, used: 4, resets_at: expect.any(String) } });
    expect(over.status).toBe(402);
    expect(await faces.account(userId)).toMatchObject({ held: 4, open: 2, inFlight: 2, used: 4 });
    await faces.becomes(userId, at(ids[0]), 'completed');
    expect((await faces.call(userId, BEGIN, { generationId: ids[2] })).status).toBe(202);
  });

  it('gives back what it did not make', async () => {
    faces.replicate.dials.end = () => 'failed';
    const id = await create();
    await faces.call(userId, BEGIN, { generationId: id });
    expect((await faces.becomes(userId, at(id), 'failed'))['error']).toBe('UPSTREAM_ERROR: The prediction failed');
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
  });

  it('is cancelled before and after it was begun, at the provider too', async () => {
    faces.replicate.dials.runMs = 60_000;
    const [waiting, running] = [await create(), await create()];
    await faces.call(userId, BEGIN, { generationId: running });
    await eventually(() => expect(faces.replicate.predictions.ids().length).toBeGreaterThan(0));
    const [prediction] = faces.replicate.predictions.ids();
    for (const id of [waiting, running]) {
      expect((await faces.call(userId, `POST ${at(id)}/cancel`)).json.data).toMatchObject({ status: 'cancelled' });
      expect((await faces.call(userId, `POST ${at(id)}/cancel`)).json.code).toBe('INVALID_GENERATION_STATUS');
    }
    await eventually(() => expect(faces.replicate.predictions.hasEnded(prediction!)).toBe(true));
    expect((await faces.call(userId, BEGIN, { generationId: waiting })).json.code).toBe('INVALID_GENERATION_STATUS');
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
  });

  it('expires when nobody begins it', async () => {
    const id = await create();
    await faces.api.database.query(`update image_generation set expires_at = now() - interval '1 second' where id = $1`, [id]);
    expect(await faces.becomes(userId, at(id), 'cancelled')).toMatchObject({ error: 'EXPIRED', processingTime: null });
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
  }, 30_000);

  it('shows its events to a browser, which sends a token in the address', async () => {
    const [id, other] = [await create(), await create()];
    const { data } = (await faces.call(userId, `POST /jobs/${id}/stream-token`)).json;
    const streamOf = (generation: string, token: unknown) => fetch(`${faces.api.url}${at(generation)}/events?access_token=${String(token)}`);
    const stream = await streamOf(id, data['token']);
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/event-stream')]);
    const { value } = await stream.body!.getReader().read();
    expect(new TextDecoder().decode(value)).toMatch(/event: ?snapshot/);
    for (const [generation, token] of [[other, data['token']], [id, 'x']] as const) {
      expect((await streamOf(generation, token)).status).toBe(401);
    }
  });

  it('tells another user that it is not theirs, and nobody of what is not there', async () => {
    const id = await create();
    const stranger = await faces.user();
    for (const route of [`GET ${at(id)}`, `GET ${at(id)}/events`, `POST ${at(id)}/cancel`]) {
      const { status, json } = await faces.call(stranger, route);
      expect({ route, status, code: json.code }).toEqual({ route, status: 403, code: 'UNAUTHORIZED' });
    }
    expect((await faces.call(stranger, BEGIN, { generationId: id })).json.code).toBe('UNAUTHORIZED');
    expect((await faces.call(stranger, `GET /jobs/${id}`)).json.code).toBe('JOB_NOT_FOUND');
    const unknown = '0193fd6c-0000-7000-8000-000000000009';
    expect((await faces.call(userId, `GET ${at(unknown)}`)).json.code).toBe('GENERATION_NOT_FOUND');
    expect((await faces.call(userId, BEGIN, { generationId: unknown })).json.code).toBe('GENERATION_NOT_FOUND');
  });

  it('cannot be resumed: it is submitted anew', async () => {
    const id = await create();
    await faces.call(userId, `POST ${at(id)}/cancel`);
    expect((await faces.call(userId, `POST /jobs/${id}/resume`)).json.code).toBe('INVALID_JOB_STATUS');
    expect((await faces.call(userId, `POST /jobs/${id}/generations/0/resume`)).json.code).toBe('INVALID_GENERATION_STATUS');
  });

  it.each([
    ['productImages', { productImages: [] }],
    ['productImages', { productImages: Array.from({ length: 9 }, () => 'https://a.example/b.png') }],
    ['productImages', { productImages: ['ftp://a.example/b.png'] }],
    ['productImages', { productImages: ['https://a.example/b.png', 'http://127.0.0.1/b.png'] }],
    ['productImages', { productImages: ['http://0xa000001/b.png'] }],
    ['productImages', { model: 'qwen/qwen-image-edit', productImages: ['https://a.example/b.png', 'https://a.example/c.png'], modelImages: [] }],
    ['modelImages', { model: `qwen/qwen-image-edit:${'0'.repeat(64)}` }],
    ['modelImages', { modelImages: ['http://[::ffff:10.0.0.1]/b.png'] }],
    ['modelImages', { modelImages: Array.from({ length: 9 }, () => 'https://a.example/b.png') }],
    ['model', { model: 'nano' }],
    ['style', { style: 'loud' }],
    ['quality', { quality: 'best' }],
    ['aspectRatio', { aspectRatio: 'wide' }],
    ['customPrompt', { customPrompt: 'x'.repeat(2_001) }],
    ['customPrompt', { customPrompt: 'a RED-Lion' }],
    ['parameters.seed', { parameters: { seed: 0.5 } }],
    ['parameters.steps', { parameters: { steps: 1 } }],
    ['generationId', { generationId: 'x' }],
  ])('names %s when it is wrong', async (field, differs) => {
    const { status, json } = await faces.call(userId, CREATE, { ...BODY, ...differs });
    expect([status, json.code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(json.details).toEqual(expect.arrayContaining([{ field, message: expect.any(String) }]));
    expect(await faces.account(userId)).toMatchObject({ held: 0, used: 0 });
  });
});
