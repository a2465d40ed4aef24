import sharp from 'sharp';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { ImageFaces } from '../../../test/factories/image-faces.js';
import { booksAreRight } from '../../../test/factories/reads.js';

const V1 = '/api/v1/generations';
const RECORD = { productImages: ['https://images.example/shoe.jpg'], model: 'owner/name', style: 'minimal', quality: 'auto', aspectRatio: '1:1' };

describe('what goes wrong with single images', () => {
  let faces: ImageFaces;
  let userId: string;
  beforeAll(async () => {
    faces = await ImageFaces.start({ PLANS: JSON.stringify({ free: { maxInFlight: 10 } }), V1_WAIT_SECONDS: '1' });
  });
  beforeEach(async () => {
    Object.assign(faces.replicate.dials, goodDays());
    userId = await faces.user();
  });
  afterEach(() => booksAreRight(faces.api.database));
  afterAll(() => faces.close());

  const query = (sql: string, ...parameters: unknown[]) => faces.api.database.query<Record<string, unknown>>(sql, parameters);
  const fails = async () => {
    faces.replicate.dials.createMs = 1_300;
    const { json } = await faces.call(userId, `POST ${V1}`, { prompt: 'a fox' });
    return faces.becomes(userId, `${V1}/${String(json.data['id'])}`, 'failed');
  };
  const record = async (owner = userId) =>
    String((await faces.call(owner, 'POST /api/generation/create', RECORD)).json.data['generationId']);

  it('shows a render to who knows its key, and to nobody by its number', async () => {
    const { json } = await faces.call(userId, `POST ${V1}`, { prompt: 'a fox' });
    const { variants } = await faces.becomes(userId, `${V1}/${String(json.data['id'])}`, 'succeeded');
    const [{ id, url }] = variants as unknown as [{ id: string; url: string }];
    expect((await fetch(url)).headers.get('cache-control')).toMatch(/^public/);
    expect((await fetch(`${faces.api.url}/assets/${id}`)).status).toBe(404);
    expect((await faces.call(await faces.user(), `GET /assets/${id}`)).status).toBe(404);
    expect((await faces.call(userId, `GET /assets/${id}`)).json.data).toMatchObject({ url });
  });

  it.each([
    ['the operator has no credit there', { status: 402 }],
    ['the operator\'s token is wrong', { status: 401 }],
  ])('tells no client that %s', async (_what, fault) => {
    faces.replicate.dials.onCall = ({ method }) => (method === 'POST' ? fault : null);
    expect((await fails())['error']).toEqual({ code: 'UPSTREAM_ERROR', message: 'The provider failed' });
  });

  it.each([
    ['text alone', () => 'only words', 'The model gave no image'],
    ['a page', () => `data:text/html;base64,${Buffer.from('<html><body>x</body></html>').toString('base64')}`, 'The model gave something that is no image'],
  ])('charges nothing for %s', async (_what, output, message) => {
    faces.replicate.dials.output = output;
    expect((await fails())['error']).toEqual({ code: 'UPSTREAM_ERROR', message });
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
  }, 30_000);

  it('decodes no output of a few bytes that would fill a worker', async () => {
    const bomb = await sharp({ create: { width: 9_000, height: 8_000, channels: 3, background: 'teal' } }).webp({ lossless: true, effort: 0 }).toBuffer();
    expect(bomb.length).toBeLessThan(200_000);
    faces.replicate.dials.output = () => `data:image/webp;base64,${bomb.toString('base64')}`;
    expect((await fails())['error']).toMatchObject({ code: 'UPSTREAM_ERROR' });
  }, 40_000);

  it('looks at no image of who could not pay for it', async () => {
    const form = new FormData();
    form.append('prompt', 'a fox');
    form.append('input1', new Blob(['no image']), 'a.png');
    expect((await faces.call(await faces.user(0.5), `POST ${V1}`, form)).json.code).toBe('INSUFFICIENT_CREDITS');
    expect((await faces.call(userId, `POST ${V1}`, form)).json.code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('counts a submission that began before midnight for the month of those that came first', async () => {
    const first = await record();
    // Another request was first, a month later.
    await query(`update account set usage_month = usage_month + interval '1 month' where user_id = $1`, userId);
    await query(`update usage_entry set created_at = created_at + interval '1 month' where user_id = $1`, userId);
    const second = await record();
    expect(await faces.account(userId)).toMatchObject({ used: 2 });
    await booksAreRight(faces.api.database);
    for (const id of [first, second]) expect((await faces.call(userId, `POST /api/generation/${id}/cancel`)).status).toBe(200);
    expect(await faces.account(userId)).toMatchObject({ held: 0, used: 0 });
  });

  it('gives up the others when one record cannot be given up', async () => {
    const [stuck, other] = [await record(), await record(await faces.user())];
    const [generation] = await query('select id from generation where job_id = $1', stuck);
    const key = `generation:${String(generation!['id'])}:1:release`;
    await query(
      `insert into credit_entry (user_id, type, amount, balance_after, held_after, key)
       select user_id, 'adjust', 0, balance, held, $2 from account where user_id = $1`, userId, key);
    await query(`update image_generation set expires_at = now() - interval '1 hour' where id = $1`, stuck);
    await query(`update image_generation set expires_at = now() - interval '1 second' where id = $1`, other);
    const [{ user_id: owner }] = (await query('select user_id from job where id = $1', other)) as [{ user_id: string }];
    await faces.becomes(owner, `/api/generation/${other}`, 'cancelled', 25_000);
    expect((await query('select status from job where id = $1', stuck))[0]).toEqual({ status: 'pending' });
    await query('delete from credit_entry where key = $1', key);
  }, 40_000);

  it('begins a record in the turn that a submission would get', async () => {
    const id = await record();
    // Somebody's urgent generation overtook a long queue.
    await query(`update generation set turn = 5000, started_at = now() where job_id = $1`, await record(await faces.user()));
    faces.replicate.dials.runMs = 5_000;
    await faces.call(userId, 'POST /api/generate', { generationId: id });
    const { json } = await faces.call(await faces.user(), `POST ${V1}`, { prompt: 'a fox' });
    const turnOf = async (job: unknown) => Number((await query('select turn from generation where job_id = $1', job))[0]!['turn']);
    expect(await turnOf(id)).toBeLessThanOrEqual(await turnOf(json.data['id']));
  });
});
