import { randomUUID } from 'node:crypto';
import { signatureOf } from '#libs/providers/standard-webhooks.js';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { ImageFaces } from '../../../test/factories/image-faces.js';
import { eventually } from '../../../test/setup/eventually.js';

const { webhookSecret } = goodDays();

describe('a webhook of Replicate', () => {
  let faces: ImageFaces;
  beforeAll(async () => {
    faces = await ImageFaces.start();
    faces.replicate.dials.webhookCopies = 0;
  });
  afterAll(() => faces.close());

  /** By hand, for the stand-in reports nothing. */
  const report = (body: string, { secret = webhookSecret, id = `msg_${randomUUID()}`, age = 0, headers = {} as object } = {}) => {
    const timestamp = String(Math.floor(Date.now() / 1_000) - age);
    const signature = `v1,${signatureOf(secret, id, timestamp, Buffer.from(body)).toString('base64')}`;
    return fetch(`${faces.api.url}/api/v1/webhooks/replicate`, {
      method: 'POST', body,
      headers: {
        'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature, ...headers,
      },
    });
  };
  const running = async (runMs: number) => {
    faces.replicate.dials.runMs = runMs;
    const userId = await faces.user();
    const { json } = await faces.call(userId, 'POST /api/v1/generations', { prompt: 'a fox' });
    return { userId, id: String(json.data['id']), prediction: String(json.data['predictionId']) };
  };
  const statusOf = async (id: string) =>
    (await faces.api.database.query<{ status: string }>('select status from job where id = $1', [id]))[0]!.status;

  it('has its step ask, and is taken again without harm', async () => {
    const { id, prediction, userId } = await running(300);
    await eventually(() => expect(faces.replicate.predictions.hasEnded(prediction)).toBe(true));
    const body = JSON.stringify({ id: prediction, status: 'succeeded', output: ['https://evil.example/x.png'] });
    const same = `msg_${randomUUID()}`;
    for (let i = 0; i < 3; i++) expect((await report(body, { id: same })).status).toBe(200);
    await eventually(async () => expect(await statusOf(id)).toBe('completed'));
    expect((await report(body)).status).toBe(200);
    expect((await report(JSON.stringify({ id: prediction, status: 'failed' }))).status).toBe(200);
    expect(await faces.becomes(userId, `/api/v1/generations/${id}`, 'succeeded')).toMatchObject({ variants: [expect.anything()] });
    expect(await faces.account(userId)).toMatchObject({ balance: 99, held: 0 });
  });

  it('does not end what has not ended, whatever it says', async () => {
    const { id, prediction } = await running(60_000);
    for (const status of ['succeeded', 'failed', 'canceled']) {
      expect((await report(JSON.stringify({ id: prediction, status, output: null }))).status).toBe(200);
    }
    await eventually(() => expect(faces.replicate.count(new RegExp(`^GET predictions/${prediction}`))).toBeGreaterThan(0));
    expect(await statusOf(id)).toBe('processing');
    await faces.api.database.query('select 1');
  });

  it('is refused when it is not signed by Replicate, old, or changed on its way', async () => {
    const body = JSON.stringify({ id: 'abc', status: 'succeeded' });
    const refused = [
      await report(body, { secret: 'whsec_c29tZW9uZSBlbHNlJ3Mgc2VjcmV0LCBsb25nIGVub3VnaA==' }),
      await report(body, { age: 301 }),
      // From the future, and still so when a busy machine looks at it.
      await report(body, { age: -360 }),
      await report(body, { headers: { 'webhook-signature': 'v1,' } }),
      await report(body, { headers: { 'webhook-id': 'msg_other' } }),
      await fetch(`${faces.api.url}/api/v1/webhooks/replicate`, { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
    ];
    for (const response of refused) {
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([401, 'INVALID_SIGNATURE']);
    }
  });

  it('is judged before it is read', async () => {
    const unsigned = await fetch(`${faces.api.url}/api/v1/webhooks/replicate`, {
      method: 'POST', body: '{"a":', headers: { 'content-type': 'application/json' },
    });
    expect(unsigned.status).toBe(401);
    expect((await report('{"a":')).status).toBe(400);
    expect((await report('{"id":"unknown","status":"succeeded"}')).status).toBe(404);
  });

  it('may carry several signatures', async () => {
    const { prediction } = await running(60_000);
    const body = JSON.stringify({ id: prediction, status: 'processing' });
    const [id, timestamp] = ['msg_two', String(Math.floor(Date.now() / 1_000))];
    const good = signatureOf(webhookSecret, id, timestamp, Buffer.from(body)).toString('base64');
    const signed = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1a,xx v1,AAAA v1,${good}` };
    expect((await report(body, { headers: signed })).status).toBe(200);
  });
});

describe('without a secret', () => {
  const forged = (url: string) => fetch(`${url}/api/v1/webhooks/replicate`, {
    method: 'POST', body: '{"id":"unknown","status":"succeeded"}', headers: { 'content-type': 'application/json' },
  });

  it.each([[{}, 401], [{ ALLOW_UNSIGNED_WEBHOOKS: 'true' }, 404]])('with %j: %s', async (variables, status) => {
    const faces = await ImageFaces.start(variables as Record<string, string>, { reports: false });
    expect((await forged(faces.api.url)).status).toBe(status);
    await faces.close();
  });
});
