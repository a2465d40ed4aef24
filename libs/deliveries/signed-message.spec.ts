import { FileUrls } from '#libs/assets/file-urls.js';
import { verifiedWebhookId } from '#libs/providers/standard-webhooks.js';
import type { DueDelivery } from './delivery.js';
import { signatureHeaders, signedMessage } from './signed-message.js';

/** As in the protocol's own checks: Replicate's `validateWebhook` takes what it signs. */
const VECTOR = {
  secret: 'whsec_bWlzc2lvbi10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI=',
  id: 'msg_test1',
  now: 1_760_000_000_000,
  body: '{"id":"abc123","status":"succeeded","output":["https://replicate.delivery/x/out.png"]}',
  signature: 'v1,FT7fq7Gh/986QHjOyuyi63/h5b8aj7Oalka2RdFD07s=',
};
const OTHER = `whsec_${Buffer.from('another secret of thirty-two byte').toString('base64')}`;
const NOW = Date.parse('2026-01-02T03:04:05.678Z');
const urls = new FileUrls({ masterKey: 'm'.repeat(32), publicUrl: 'https://platen.test' }, () => NOW);

const delivery: DueDelivery = {
  id: '0193fd6c-0000-4000-8000-000000000001', userId: 'u', url: 'https://x.test/', host: 'x.test', attempt: 1, tries: 1,
  event: {
    seq: 7, type: 'image_generated', job_id: 'j', at: '2026-01-02T03:04:04.000Z', generation_index: 0,
    asset: { id: '1', url: '/files/a.png', thumbnail_url: null, is_public: false },
  },
  job: { collection_id: null, external_id: 'order-1', tags: ['a'] },
};

it('signs as the protocol has it', () => {
  const { secret, id, body, now, signature } = VECTOR;
  expect(signatureHeaders(id, body, [secret], now)).toEqual({
    'webhook-id': id, 'webhook-timestamp': '1760000000', 'webhook-signature': signature,
  });
});

it('signs with every secret, so that each of them verifies', () => {
  const { secret, id, body, now, signature } = VECTOR;
  const headers = signatureHeaders(id, body, [OTHER, secret], now);
  expect(headers['webhook-signature']!.split(' ')).toEqual([expect.stringMatching(/^v1,.{44}$/), signature]);
  for (const known of [OTHER, secret]) expect(verifiedWebhookId(known, headers, Buffer.from(body), now)).toBe(id);
  expect(verifiedWebhookId(`whsec_${'A'.repeat(44)}`, headers, Buffer.from(body), now)).toBeNull();
});

it('tells the event as the API does, with what its receiver would ask first', () => {
  const { body } = signedMessage(delivery, [OTHER], urls, NOW);
  const message = JSON.parse(body) as { type: string; timestamp: string; data: Record<string, unknown> };
  expect(message).toMatchObject({
    type: 'image_generated',
    timestamp: '2026-01-02T03:04:04.000Z',
    data: { seq: 7, type: 'image_generated', job_id: 'j', generation_index: 0, external_id: 'order-1', tags: ['a'] },
  });
  expect((message.data['asset'] as { url: string }).url).toMatch(/^https:\/\/platen\.test\/files\/a\.png/);
});

it('has a time and a signature of its own in each attempt, and the same id', () => {
  const [first, second] = [signedMessage(delivery, [OTHER], urls, NOW), signedMessage(delivery, [OTHER], urls, NOW + 60_000)];
  expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
  expect(second.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp']);
  expect(second.headers['webhook-signature']).not.toBe(first.headers['webhook-signature']);
});
