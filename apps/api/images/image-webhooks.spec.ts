import { verifiedWebhookId } from '#libs/providers/standard-webhooks.js';
import { formOf, ImageFaces } from '../../../test/factories/image-faces.js';
import { eventually } from '../../../test/setup/eventually.js';
import { WebhookReceiver } from '../../../test/setup/webhook-receiver.js';

const TWO_STEP = {
  productImages: ['https://images.example/vase.jpg'], model: 'google/nano-banana', style: 'minimal', quality: 'auto',
  aspectRatio: '1:1',
};

describe('webhooks of single images', () => {
  let faces: ImageFaces;
  let receiver: WebhookReceiver;
  let userId: string;

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    faces = await ImageFaces.start({ ALLOWED_HOSTS: '127.0.0.1' });
  });
  beforeEach(async () => {
    receiver.received.length = 0;
    userId = await faces.user();
  });
  afterAll(async () => {
    receiver.close();
    await faces.close();
  });

  const toldOf = async (count: number) => {
    await eventually(() => expect(receiver.received).toHaveLength(count), 15_000);
    return receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> });
  };

  it.each([
    ['two-step', 'POST /api/generate', () => ({ ...TWO_STEP, webhookUrl: receiver.url, externalId: 'order-1' })],
    ['v1', 'POST /api/v1/generations', () => ({ prompt: 'a fox', webhookUrl: receiver.url, externalId: 'order-1' })],
  ])('tell how one of %s ended, signed with the account’s secret', async (_face, route, body) => {
    const { status, json } = await faces.call(userId, route, body());
    expect({ status, details: json.details }).toEqual({ status: 202, details: undefined });
    const [message] = await toldOf(1);
    expect(message).toMatchObject({ type: 'job_completed', data: { status: 'completed', external_id: 'order-1' } });
    expect(message!.data['job_id']).toBe(json.data['generationId'] ?? json.data['id']);
    const { data } = (await faces.call(userId, 'GET /webhooks/secret')).json;
    const [webhook] = receiver.received;
    expect(verifiedWebhookId(String(data['secret']), webhook!.headers, Buffer.from(webhook!.body))).toBe(webhook!.id);
  });

  it('are asked for in a form, too, with the events that are wanted', async () => {
    const events = ['job_started', 'image_generated'];
    const form = formOf({ prompt: 'a fox', webhookUrl: receiver.url, webhookEvents: JSON.stringify(events) });
    expect((await faces.call(userId, 'POST /api/v1/generations', form)).status).toBe(202);
    const messages = await toldOf(2);
    expect(messages.map(({ type }) => type).toSorted()).toEqual(events.toSorted());
  });
});
