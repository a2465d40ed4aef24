import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { hostileFiles } from '../../../test/factories/hostile-files.js';
import { formOf, ImageFaces, someKey } from '../../../test/factories/image-faces.js';
import { booksAreRight, waitingForLocks } from '../../../test/factories/reads.js';
import { eventually } from '../../../test/setup/eventually.js';

const ROUTE = '/api/v1/generations';
const SUBMIT = `POST ${ROUTE}`;
const FOX = { prompt: 'a fox' };
const PLANS = { free: { monthlyGenerations: 10_000 }, wide: { maxInFlight: 100_000, monthlyGenerations: 10 } };
const image = (format: 'png' | 'jpeg' | 'webp') =>
  sharp({ create: { width: 20, height: 10, channels: 3, background: 'teal' } })[format]().toBuffer();

describe('the v1 face', () => {
  let faces: ImageFaces;
  let userId: string;
  beforeAll(async () => {
    faces = await ImageFaces.start({ PLANS: JSON.stringify(PLANS), MODERATED_TERMS: 'red lion' });
  });
  beforeEach(async () => {
    Object.assign(faces.replicate.dials, goodDays());
    faces.replicate.calls.length = 0;
    userId = await faces.user();
  });
  afterEach(() => booksAreRight(faces.api.database));
  afterAll(() => faces.close());

  const submit = (body: object = FOX, headers: Record<string, string> = {}) => faces.call(userId, SUBMIT, body, headers);
  const at = (id: unknown) => `${ROUTE}/${String(id)}`;
  const ends = (id: unknown, status = 'succeeded') => faces.becomes(userId, at(id), status);
  const plan = (name: string) => faces.api.database.query('update account set plan = $2 where user_id = $1', [userId, name]);
  const predictions = () => faces.replicate.count(/^POST models/);

  it('answers with the prediction, and later with its images', async () => {
    faces.replicate.dials.output = (_asked, { delivered, guarded }) => [delivered(0), guarded(1)];
    const { status, json } = await submit({ ...FOX, aspectRatio: '16:9', parameters: { output_format: 'png' }, tags: ['x'] });
    expect(status).toBe(202);
    expect(json.data).toMatchObject({
      id: expect.any(String), predictionId: faces.replicate.predictions.ids()[0], renderId: null, variants: [], error: null,
      settings: { model: 'google/nano-banana', mode: 'text_to_image', aspectRatio: '16:9', parameters: { output_format: 'png' }, inputs: [] },
    });
    const done = await ends(json.data['id']);
    expect(done).toMatchObject({ renderId: expect.stringMatching(/^[0-9a-f-]{36}$/), completedAt: expect.any(String) });
    const variants = done['variants'] as Array<{ url: string; index: number }>;
    expect(variants).toMatchObject([{ index: 0, width: 64, height: 64 }, { index: 1, width: 64, height: 64 }]);
    for (const { url, index } of variants) {
      expect(url).toMatch(new RegExp(`/files/public/renders/${String(done['renderId'])}/${index}\\.jpg$`));
      const shown = await fetch(url);
      expect([shown.status, (await sharp(await shown.arrayBuffer()).metadata()).format]).toEqual([200, 'jpeg']);
    }
    expect(await faces.account(userId)).toEqual({ balance: 99, held: 0, open: 0, inFlight: 0, used: 1 });
    expect((await faces.call(userId, 'GET /jobs?tag=x')).json.data['items']).toMatchObject([{ job_type: 'image_generation' }]);
  });

  it('is told of the end by a webhook, long before it would ask', async () => {
    faces.replicate.dials.runMs = 1_000;
    const { json } = await submit();
    const started = Date.now();
    await eventually(async () => {
      const [row] = await faces.api.database.query<{ status: string }>('select status from job where id = $1', [json.data['id']]);
      expect(row!.status).toBe('completed');
    }, 10_000);
    expect(Date.now() - started).toBeLessThan(8_000);
  });

  it('makes images of images, which only their owner sees, and not for long', async () => {
    const [input2, input1] = [await image('webp'), await image('png')];
    const { status, json } = await submit(formOf({ prompt: 'mix', parameters: '{"seed":1}', tags: '["t"]' }, { input2, input1 }));
    expect(status).toBe(202);
    expect(json.data['settings']).toMatchObject({ mode: 'image_to_image', parameters: { seed: 1 } });
    const { inputs } = json.data['settings'] as { inputs: string[] };
    expect(inputs.map((url) => new URL(url).pathname)).toEqual([
      expect.stringMatching(new RegExp(`^/files/private/${userId}/inputs/[0-9a-f-]{36}\\.png$`)), expect.stringMatching(/\.webp$/),
    ]);
    const expires = Number(new URL(inputs[0]!).searchParams.get('expires'));
    expect(Math.abs(expires - Date.now() / 1_000 - 300)).toBeLessThan(10);
    expect((await fetch(inputs[0]!)).status).toBe(200);
    expect((await fetch(inputs[0]!.split('?')[0]!)).status).toBe(404);
    const shown = faces.replicate.predictions.show(String(json.data['predictionId']));
    expect((shown!['input'] as { image_input: string[] }).image_input).toEqual([
      expect.stringMatching(/^data:image\/png;base64,/), expect.stringMatching(/^data:image\/webp;base64,/),
    ]);
    await ends(json.data['id']);
  });

  it.each(hostileFiles().filter(({ fate, name }) => fate !== 'drawn anew' || /polyglot|page|zip|pdf|html/i.test(name)).map((each) => [each.name, each] as const))(
    'refuses %s as an input, and keeps nothing',
    async (_name, { bytes }) => {
      const { status, json } = await submit(formOf(FOX, { input1: bytes }));
      expect([413, 415]).toContain(status);
      expect(json.details).toEqual([{ field: 'input1', message: expect.any(String) }]);
      expect(await faces.account(userId)).toMatchObject({ held: 0, used: 0 });
      expect((await faces.call(userId, 'GET /assets')).json.data['items']).toEqual([]);
    },
  );

  it.each([
    ['prompt', {}],
    ['prompt', { prompt: '  ' }],
    ['prompt', { prompt: 'x'.repeat(2_001) }],
    ['prompt', { prompt: 'a red\u00a0lion' }],
    ['mode', { ...FOX, mode: 'video' }],
    ['input1', { ...FOX, mode: 'image_to_image' }],
    ['model', { ...FOX, model: 'x' }],
    ['aspectRatio', { ...FOX, aspectRatio: '0:1' }],
    ['parameters', { ...FOX, parameters: [] }],
    ['size', { ...FOX, size: 1 }],
    ['parameters.$ref', { ...FOX, parameters: { $ref: 1 } }],
  ])('names %s when it is wrong', async (field, body) => {
    const { status, json } = await submit(body);
    expect([status, json.code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(json.details).toEqual(expect.arrayContaining([{ field, message: expect.any(String) }]));
    expect(await faces.account(userId)).toMatchObject({ held: 0, used: 0 });
  });

  it('takes one of twenty on the free plan, and the next within a second of its end', async () => {
    faces.replicate.dials.runMs = 1_500;
    const told = await Promise.all(Array.from({ length: 20 }, () => submit()));
    expect(told.map(({ status, json }) => json.code ?? status).sort()).toEqual([202, ...Array.from({ length: 19 }, () => 'TOO_MANY_INFLIGHT')]);
    const first = told.find(({ status }) => status === 202)!;
    await ends(first.json.data['id']);
    expect((await submit()).status).toBe(202);
  }, 30_000);

  it('takes exactly what is left of the month of two hundred at once', async () => {
    await plan('wide');
    const told = await Promise.all(Array.from({ length: 200 }, () => submit()));
    expect(told.filter(({ status }) => status === 202)).toHaveLength(10);
    const codes = new Set(told.filter(({ status }) => status !== 202).map(({ status, json }) => `${status} ${json.code}`));
    expect(codes).toEqual(new Set(['402 LIMIT_EXCEEDED']));
    for (const { status, json } of told) if (status === 202) await ends(json.data['id']);
    expect(await faces.account(userId)).toEqual({ balance: 90, held: 0, open: 0, inFlight: 0, used: 10 });
  }, 60_000);

  it('makes one prediction, one debit and one answer of thirty with one key', async () => {
    await plan('wide');
    faces.replicate.dials.createMs = 500;
    const key = someKey();
    const told = await Promise.all(Array.from({ length: 30 }, () => submit(FOX, key)));
    expect(new Set(told.map(({ text }) => text)).size).toBe(1);
    expect(told.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 202));
    const { id, predictionId } = told[0]!.json.data;
    expect(predictionId).toBe(faces.replicate.predictions.ids()[0]);
    await ends(id);
    expect(predictions()).toBe(1);
    expect(await faces.account(userId)).toMatchObject({ balance: 99, used: 1 });
    expect((await submit(FOX, key)).text).toBe(told[0]!.text);
    expect((await submit({ prompt: 'a cat' }, key)).json.code).toBe('IDEMPOTENCY_KEY_REUSED');
  }, 30_000);

  it('knows a repeated form by its fields and its bytes', async () => {
    const [key, input1] = [someKey(), await image('png')];
    const first = await submit(formOf(FOX, { input1 }), key);
    expect((await submit(formOf(FOX, { input1 }), key)).text).toBe(first.text);
    expect((await submit(formOf(FOX, { input1: await image('jpeg') }), key)).json.code).toBe('IDEMPOTENCY_KEY_REUSED');
    await ends(first.json.data['id']);
    expect(predictions()).toBe(1);
  });

  describe('when the provider', () => {
    it('refuses at once: 502, nothing is kept, and the key is free', async () => {
      faces.replicate.dials.onCall = ({ method }) => (method === 'POST' ? { status: 402, detail: 'secret detail' } : null);
      const key = someKey();
      const { status, json, text } = await submit(FOX, key);
      expect([status, json.code]).toEqual([502, 'UPSTREAM_ERROR']);
      expect(text).not.toMatch(/secret|402|Payment/i);
      expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
      Object.assign(faces.replicate.dials, goodDays());
      expect((await submit(FOX, key)).status).toBe(202);
    });

    it.each([
      ['fails', { end: () => 'failed' }],
      ['gives up before it begins', { end: () => 'aborted' }],
      ['succeeds without an output', { output: () => null }],
      ['removes the output', { removesOutput: true }],
    ])('%s: failed, credits back once, nothing of what it said', async (_what, dials) => {
      Object.assign(faces.replicate.dials, { runMs: 500, ...dials });
      const { json } = await submit();
      const failed = await ends(json.data['id'], 'failed');
      expect(failed['error']).toMatchObject({ code: 'UPSTREAM_ERROR' });
      expect(JSON.stringify(failed)).not.toMatch(/secret|CUDA|gpu-17/);
      expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
    });

    it('never reports: whoever looks has it asked, once in five seconds', async () => {
      Object.assign(faces.replicate.dials, { webhookCopies: 0, runMs: 4_000 });
      const { json } = await submit();
      const asked = () => faces.replicate.count(/^GET predictions\/\w+$/);
      const before = asked();
      const end = Date.now() + 12_000;
      let status: unknown;
      while (Date.now() < end && status !== 'succeeded') {
        const views = await Promise.all(Array.from({ length: 5 }, () => faces.call(userId, `GET ${at(json.data['id'])}`)));
        status = views.at(-1)!.json.data['status'];
        await sleep(200);
      }
      expect(status).toBe('succeeded');
      expect(asked() - before).toBeLessThanOrEqual(3);
      // Of all who look at once, one wakes the step: the others would each have it asked again while no worker has come to it.
      const [row] = await faces.api.database.query<{ wakes: number }>('select wake_seq::integer as wakes from generation where job_id = $1', [json.data['id']]);
      expect(row?.wakes).toBeLessThanOrEqual(3);
    }, 30_000);
  });

  it('is cancelled in progress only, at the provider too', async () => {
    faces.replicate.dials.runMs = 60_000;
    const { json } = await submit();
    const cancel = () => faces.call(userId, `PATCH ${at(json.data['id'])}`, { action: 'cancel' });
    expect((await cancel()).json.data['status']).toBe('canceled');
    await eventually(() => expect(faces.replicate.predictions.hasEnded(String(json.data['predictionId']))).toBe(true));
    expect((await cancel()).json.code).toBe('INVALID_GENERATION_STATUS');
    expect((await faces.call(userId, `PATCH ${at(json.data['id'])}`, { action: 'stop' })).json.code).toBe('VALIDATION_ERROR');
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
  });

  it('is deleted once it has ended: gone at once, its bytes a day later', async () => {
    faces.replicate.dials.runMs = 1_000;
    const { json } = await submit(formOf(FOX, { input1: await image('png') }));
    const path = at(json.data['id']);
    expect((await faces.call(userId, `DELETE ${path}`)).json.code).toBe('INVALID_GENERATION_STATUS');
    const { variants } = (await ends(json.data['id'])) as unknown as { variants: Array<{ url: string }> };
    expect((await faces.call(userId, `DELETE ${path}`)).status).toBe(200);
    for (const route of [`GET ${path}`, `DELETE ${path}`]) {
      expect((await faces.call(userId, route)).json.code).toBe('GENERATION_NOT_FOUND');
    }
    expect((await fetch(variants[0]!.url)).status).toBe(404);
    expect((await faces.call(userId, `GET ${ROUTE}`)).json.data['items']).toEqual([]);
    expect((await faces.call(userId, 'GET /assets')).json.data['items']).toEqual([]);
    const kept = await faces.api.database.query<{ ahead: boolean }>(
      `select deleted_at > now() + interval '23 hours' as ahead from flat_file where user_id = $1`, [userId]);
    expect(kept).toEqual([{ ahead: true }, { ahead: true }]);
  });

  it('is gone for the second of two that delete it at once', async () => {
    const { id } = (await submit()).json.data;
    await ends(id);
    const deletes = await faces.api.database.transaction(async (tx) => {
      await tx.query('select 1 from image_generation where id = $1 for update', [id]);
      const told = [0, 1].map(() => faces.call(userId, `DELETE ${at(id)}`));
      await eventually(async () => expect(await waitingForLocks(faces.api.database)).toBe(2));
      return { told };
    });
    const told = await Promise.all(deletes.told);
    expect(told.map(({ status, json }) => json.code ?? status).sort()).toEqual([200, 'GENERATION_NOT_FOUND']);
  });

  it('lists what is the caller\'s, page by page', async () => {
    await plan('wide');
    const ids = [];
    for (let i = 0; i < 3; i++) ids.unshift((await submit({ prompt: `fox ${i}` })).json.data['id']);
    const first = (await faces.call(userId, `GET ${ROUTE}?limit=2`)).json.data as unknown as { items: Array<{ id: string }>; next_cursor: string };
    const second = (await faces.call(userId, `GET ${ROUTE}?limit=2&cursor=${first.next_cursor}`)).json.data as unknown as typeof first;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
    const stranger = randomUUID();
    expect((await faces.call(stranger, `GET ${ROUTE}`)).json.data['items']).toEqual([]);
    for (const [route, body] of [['GET'], ['DELETE'], ['PATCH', { action: 'cancel' }]] as const) {
      expect((await faces.call(stranger, `${route} ${at(ids[0])}`, body)).json.code).toBe('GENERATION_NOT_FOUND');
    }
    for (const id of ids) await ends(id);
  });
});
