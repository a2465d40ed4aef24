import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { createDraftQueue } from '#libs/queue/index.js';
import type { DraftQueue } from '#libs/queue/draft-queue.js';
import { renderDraft } from '#apps/worker/draft-renderer.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { createTestDatabase } from '../../../test/setup/database.js';
import { HASH, testRenderer } from '../../../test/factories/sketch-run.js';

const SKETCH = `function setup() {
  createCanvas(windowWidth, windowHeight);
  background(random(255), random(255), variables.blue);
  $fx.features({ Blue: variables.blue });
  console.log('drawn');
  noLoop();
}`;

describe('POST /previews', () => {
  let api: TestApi;
  let worker: DraftQueue;
  const sketches = testRenderer();
  const userId = randomUUID();

  beforeAll(async () => {
    api = await startTestApi();
    worker = await createDraftQueue({ databaseUrl: api.databaseUrl });
    worker.serve((draft) => renderDraft(sketches, draft));
  });
  afterAll(async () => {
    await worker.close();
    await sketches.close();
    await api.close();
  });

  const preview = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${api.url}/previews`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...api.as(userId), ...headers },
      body: JSON.stringify(body),
    });
  const draft = { code: SKETCH, hash: HASH, variables: { blue: 200 }, width: 64, height: 48 };

  it('draws a draft on a worker, and stores and charges nothing', async () => {
    const { data } = (await (await preview(draft)).json()) as { data: Record<string, unknown> };
    expect(data).toMatchObject({
      hash: HASH, mime_type: 'image/png', width: 64, height: 48,
      traits: [{ trait_type: 'Blue', value: 200 }], logs: [expect.stringContaining('drawn')],
    });
    const counts = await api.database.query('select (select count(*) from flat_file) as files, (select count(*) from job) as jobs');
    expect(counts).toEqual([{ files: '0', jobs: '0' }]);
  });

  it('answers the image itself to those who ask for one: the same for the same hash', async () => {
    const answers = await Promise.all([1, 2].map(() => preview(draft, { accept: 'image/png' })));
    const [first, second] = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
    expect(answers[0]?.headers.get('content-type')).toBe('image/png');
    expect(await sharp(first).metadata()).toMatchObject({ format: 'png', width: 64, height: 48 });
    expect(first?.equals(second!)).toBe(true);
  });

  it('names the line of a sketch that fails, and fields that are wrong', async () => {
    const broken = await preview({ ...draft, code: 'function setup() {\n  nothing();\n}' });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({
      code: 'VALIDATION_ERROR', details: [{ field: 'code', message: expect.stringContaining('nothing') }],
    });
    const wrong = (await (await preview({ ...draft, width: 5_000, hash: 'x'.repeat(101) })).json()) as { details: Array<{ field: string }> };
    expect(wrong.details.map(({ field }) => field).sort()).toEqual(['hash', 'width']);
    expect((await preview({ ...draft, hash: 'nothash' })).status).toBe(400);
  });

  it('lets a user have two under way, and others theirs meanwhile', async () => {
    const endless = { ...draft, code: 'while (true) {}' };
    const hog = randomUUID();
    const answers = Promise.all([1, 2, 3, 4].map(() => preview(endless, api.as(hog))));
    await sleep(100);
    expect((await preview(draft)).status).toBe(200);
    const statuses = (await answers).map(({ status }) => status).sort();
    expect(statuses).toEqual([400, 400, 429, 429]);
    expect((await preview(draft, api.as(hog))).status).toBe(200);
  }, 30_000);

  it('does not draw what nobody waits for any more', async () => {
    const drawn: string[] = [];
    const { url: databaseUrl, close } = await createTestDatabase();
    const [gone, queue] = [await createDraftQueue({ databaseUrl }), await createDraftQueue({ databaseUrl })];
    void gone.request({ ...draft, code: 'late' }, 400).catch(() => undefined);
    await sleep(200);
    await gone.close();
    await sleep(300);
    queue.serve(async ({ code }) => {
      drawn.push(code);
      return { ok: false, code: '', message: '', logs: [] };
    });
    await queue.request({ ...draft, code: 'asked' }, 5_000);
    await queue.close();
    await close();
    expect(drawn).toEqual(['asked']);
  });

  it('says what cannot be stored as what can be', async () => {
    const code = "$fx.features({ 'a\\0': '\\ud800' }); console.log('\\0'); function draw() {}";
    const answer = await renderDraft(sketches, { ...draft, code });
    expect(answer).toMatchObject({ ok: true, features: { 'a\ufffd': '\ufffd' } });
    expect(JSON.stringify(answer)).not.toMatch(/\\u0000|\\ud800/);
    const broken = await renderDraft(sketches, { ...draft, code: "throw new Error('a\\0\\ud800')" });
    expect(broken).toMatchObject({ ok: false, message: expect.stringContaining('a\ufffd\ufffd') });
  });
});
