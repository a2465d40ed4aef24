import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { ImageFaces, someKey } from '../../../test/factories/image-faces.js';
import { booksAreRight } from '../../../test/factories/reads.js';
import { eventually } from '../../../test/setup/eventually.js';

const ROUTE = '/api/v1/generations';
const FOX = { prompt: 'a fox' };

describe('the answer of a v1 submission, which waits for the prediction,', () => {
  let faces: ImageFaces;
  let userId: string;
  beforeAll(async () => {
    faces = await ImageFaces.start();
  });
  beforeEach(async () => {
    Object.assign(faces.replicate.dials, goodDays());
    userId = await faces.user();
  });
  afterEach(() => booksAreRight(faces.api.database));
  afterAll(() => faces.close());

  const submit = (body: object, headers: Record<string, string> = {}) => faces.call(userId, `POST ${ROUTE}`, body, headers);
  const ends = (id: unknown) => faces.becomes(userId, `${ROUTE}/${String(id)}`, 'succeeded');
  /** The text that the commit has kept under the key. */
  const kept = async (): Promise<string> => {
    let text = '';
    await eventually(async () => {
      const rows = await faces.api.database.query<{ body: string }>('select body from idempotency_key where user_id = $1', [userId]);
      expect(rows).toEqual([{ body: expect.any(String) }]);
      text = rows[0]!.body;
    });
    return text;
  };

  it('comes after five seconds without one, and stays as it was then', async () => {
    faces.replicate.dials.createMs = 11_000;
    const [started, key] = [Date.now(), someKey()];
    const twins = Array.from({ length: 3 }, () => submit(FOX, key));
    const text = await kept();
    const { status, json } = await Promise.race(twins);
    expect([status, json.data['predictionId'], json.data['status']]).toEqual([202, null, 'starting']);
    expect(Date.now() - started).toBeGreaterThan(4_500);
    expect(Date.now() - started).toBeLessThan(10_500);
    const texts = [...(await Promise.all(twins)), await submit(FOX, key)].map((told) => told.text);
    expect(texts).toEqual(Array.from({ length: 4 }, () => text));
    expect((await ends(json.data['id']))['predictionId']).toEqual(expect.any(String));
  }, 30_000);

  it('is never that of another request which took the key once the first had failed', async () => {
    faces.replicate.dials.createMs = 3_000;
    const key = someKey();
    const first = submit(FOX, key);
    const { id } = (JSON.parse(await kept()) as { data: { id: string } }).data;
    const twin = submit(FOX, key);
    await sleep(500);
    // Freed, and taken again, between two looks of the twin.
    await faces.api.database.query('update idempotency_key set body = replace(body, $2, $3) where user_id = $1', [userId, id, randomUUID()]);
    const { status, json } = await twin;
    expect([status, json.code]).toEqual([502, 'UPSTREAM_ERROR']);
    expect((await first).json.data['id']).toBe(id);
    await ends(id);
  }, 30_000);

  it('tells with `Prefer: wait` what it has come to, and what it was at first when it is replayed', async () => {
    faces.replicate.dials.runMs = 1_000;
    const key = someKey();
    const { json } = await submit(FOX, { ...key, prefer: 'wait=20' });
    expect(json.data).toMatchObject({ status: 'succeeded', variants: [{ index: 0 }], completedAt: expect.any(String) });
    expect((await submit(FOX, { ...key, prefer: 'wait=20' })).json.data).toMatchObject({ id: json.data['id'], variants: [], completedAt: null });
  }, 30_000);
});
