import { randomUUID } from 'node:crypto';
import { FileUrls } from '#libs/assets/file-urls.js';
import { PostgresEventBus } from '#libs/events/postgres.event-bus.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { verifiedWebhookId } from '#libs/providers/standard-webhooks.js';
import { deliveriesOf, record, submitTelling, timePasses } from '../../test/factories/deliveries.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { WebhookReceiver } from '../../test/setup/webhook-receiver.js';
import { testKeys } from '../../test/factories/keys.js';
import { DeliveryDispatcher, type DispatcherLimits } from './delivery-dispatcher.js';
import { DeliveryLog } from './delivery-log.js';
import { DeliveryRows } from './delivery-rows.js';
import { DeliverySender } from './delivery-sender.js';
import { WebhookSecrets } from './webhook-secrets.js';

/** Of an endpoint that never answers, and of others. */
const [SHORT_MS, ATTEMPT_MS] = [400, 4_000];
const LIMITS: DispatcherLimits = { inFlight: 8, perHost: 2, perUser: 8 };

describe(DeliveryDispatcher.name, () => {
  let test: TestDatabase;
  let secrets: WebhookSecrets;
  let receiver: WebhookReceiver;
  let userId: string;
  let errors: unknown[];
  const opened: Array<{ stop?(): Promise<void>; close?(): unknown }> = [];

  beforeAll(async () => {
    test = await createTestDatabase();
    secrets = new WebhookSecrets(test.database, 'k'.repeat(32));
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    [receiver, userId, errors] = [await WebhookReceiver.start(), randomUUID(), []];
  });
  afterEach(async () => {
    receiver.close();
    for (const each of opened.splice(0)) await (each.stop?.() ?? each.close?.());
    await test.database.query('truncate job, webhook_gone cascade');
  });

  /** One worker's. */
  function dispatcher(
    { hosts = [receiver.host], rows = new DeliveryRows(test.database, testKeys(test.database)), attemptMs = ATTEMPT_MS }: {
      hosts?: string[]; rows?: DeliveryRows; attemptMs?: number;
    } = {},
  ): DeliveryDispatcher {
    const outbound = new OutboundClient({ allowedHosts: hosts });
    const urls = new FileUrls({ masterKey: 'm'.repeat(32), publicUrl: 'https://platen.test' });
    const sender = new DeliverySender(outbound, secrets, urls, attemptMs);
    const made = new DeliveryDispatcher(rows, sender, (error) => errors.push(error), LIMITS);
    opened.push(made, outbound);
    return made;
  }

  async function ended(url = receiver.url, type = 'job_completed'): Promise<string> {
    const { jobId } = await submitTelling(test.database, { url, userId });
    await record(test.database, jobId, type, { status: type.slice(4), progress: 100 });
    return jobId;
  }
  const only = async (jobId: string) => (await deliveriesOf(test.database, jobId))[0]!;
  const settled = (jobId: string, attempts: number) =>
    eventually(async () => {
      const { attempts: made, last_status, last_error } = await only(jobId);
      expect({ made, isSettled: last_status !== null || last_error !== null }).toEqual({ made: attempts, isSettled: true });
    });
  const statusOf = (jobId: string, status: string) =>
    eventually(async () => expect(await only(jobId)).toMatchObject({ status }));

  it('tells how a job ended, signed so that the account’s secret verifies it', async () => {
    const jobId = await ended();
    await dispatcher().sweep();
    await statusOf(jobId, 'delivered');
    const [webhook, ...others] = receiver.received;
    expect(others).toEqual([]);
    const { secret } = await secrets.current(userId);
    const { id } = await only(jobId);
    expect(verifiedWebhookId(secret, webhook!.headers, Buffer.from(webhook!.body))).toBe(id);
    expect(webhook!.headers['content-type']).toBe('application/json');
    expect(JSON.parse(webhook!.body)).toEqual({
      type: 'job_completed',
      timestamp: expect.any(String),
      data: {
        seq: 2, type: 'job_completed', job_id: jobId, at: expect.any(String), status: 'completed', progress: 100,
        collection_id: null, external_id: null, tags: [],
      },
    });
  });

  it('is signed with the new secret and the one before while that is being replaced', async () => {
    const { secret: old } = await secrets.current(userId);
    const { secret: renewed } = await secrets.rotate(userId);
    const jobId = await ended();
    await dispatcher().sweep();
    await statusOf(jobId, 'delivered');
    const { headers, body, id } = receiver.received[0]!;
    for (const secret of [old, renewed]) expect(verifiedWebhookId(secret, headers, Buffer.from(body))).toBe(id);
  });

  it('tries again what was not taken: the same id and event, another time and signature', async () => {
    receiver.plan = (_webhook, before) => (before === 0 ? { status: 500, body: 'secret detail' } : {});
    const jobId = await ended();
    const courier = dispatcher();
    await courier.sweep();
    await settled(jobId, 1);
    expect(await only(jobId)).toMatchObject({
      status: 'pending', last_status: 500, last_error: 'The address answered with status 500', due_in: expect.closeTo(5, -1),
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await timePasses(test.database);
    await courier.sweep();
    await statusOf(jobId, 'delivered');
    const [first, second] = receiver.received;
    expect([second!.id, second!.body]).toEqual([first!.id, first!.body]);
    expect(second!.headers['webhook-timestamp']).not.toBe(first!.headers['webhook-timestamp']);
    expect(second!.headers['webhook-signature']).not.toBe(first!.headers['webhook-signature']);
    const { secret } = await secrets.current(userId);
    expect(verifiedWebhookId(secret, second!.headers, Buffer.from(second!.body))).toBe(first!.id);
  });

  it('waits as long as the endpoint asks for', async () => {
    receiver.plan = () => ({ status: 503, headers: { 'retry-after': '600' } });
    const jobId = await ended();
    await dispatcher().sweep();
    await settled(jobId, 1);
    expect((await only(jobId)).due_in).toBeGreaterThan(590);
  });

  it.each([
    ['hangs', { hangs: true } as const, 'The host did not answer in time'],
    ['breaks off', { isLost: true } as const, 'The host could not be reached'],
  ])('tries again when an endpoint %s', async (_what, answer, error) => {
    receiver.plan = () => answer;
    const jobId = await ended();
    await dispatcher({ attemptMs: SHORT_MS }).sweep();
    await settled(jobId, 1);
    expect(await only(jobId)).toMatchObject({ status: 'pending', last_status: null, last_error: error });
  });

  it('follows no redirect', async () => {
    const inside = await WebhookReceiver.start();
    opened.push(inside);
    receiver.plan = () => ({ status: 307, headers: { location: inside.url } });
    const jobId = await ended();
    await dispatcher({ hosts: [receiver.host, inside.host] }).sweep();
    await settled(jobId, 1);
    expect(await only(jobId)).toMatchObject({ status: 'pending', last_status: 307, last_error: expect.stringContaining('redirects') });
    expect(inside.received).toEqual([]);
  });

  it('reaches public addresses only', async () => {
    const jobId = await ended('http://127.0.0.1:8080/hook');
    await dispatcher({ hosts: [] }).sweep();
    await settled(jobId, 1);
    expect(await only(jobId)).toMatchObject({ status: 'pending', last_error: 'The host of the URL has no public address' });
    expect(receiver.received).toEqual([]);
  });

  it('gives up at once what can never be sent', async () => {
    const jobId = await ended('http://example.com:25/hook');
    await dispatcher().sweep();
    await statusOf(jobId, 'failed');
    expect(await only(jobId)).toMatchObject({ attempts: 1, last_error: 'The port 25 is not allowed' });
  });

  it('takes a success for one, however long the answer', async () => {
    receiver.plan = () => ({ body: 'x'.repeat(1_000_000) });
    const jobId = await ended();
    await dispatcher().sweep();
    await statusOf(jobId, 'delivered');
  });

  it('tells an address no more that answered 410, until it takes one that was sent again', async () => {
    receiver.plan = () => ({ status: 503 });
    const waiting = await ended();
    const courier = dispatcher();
    await courier.sweep();
    await settled(waiting, 1);
    receiver.plan = () => ({ status: 410 });
    const elsewhere = await ended(`${receiver.url}/other`);
    const gone = await ended();
    await courier.sweep();
    await statusOf(gone, 'disabled');
    await statusOf(waiting, 'disabled');
    await statusOf(elsewhere, 'disabled');

    receiver.plan = () => ({});
    const before = receiver.received.length;
    const later = await ended();
    await courier.sweep();
    expect(await only(later)).toMatchObject({ status: 'disabled', attempts: 0 });
    expect(receiver.received).toHaveLength(before);

    const log = new DeliveryLog(test.database);
    await log.resend(userId, gone, (await only(gone)).id);
    await courier.sweep();
    await statusOf(gone, 'delivered');
    const open = await ended();
    await courier.sweep();
    await statusOf(open, 'delivered');
    const stillGone = await ended(`${receiver.url}/other`);
    await courier.sweep();
    expect(await only(stillGone)).toMatchObject({ status: 'disabled' });
  });

  it('leaves another account’s deliveries to an address alone that answered one 410', async () => {
    receiver.plan = () => ({ status: 503 });
    const { jobId: theirs } = await submitTelling(test.database, { url: receiver.url });
    await record(test.database, theirs, 'job_completed');
    const courier = dispatcher();
    await courier.sweep();
    await settled(theirs, 1);
    receiver.plan = () => ({ status: 410 });
    const mine = await ended();
    await courier.sweep();
    await statusOf(mine, 'disabled');
    expect(await only(theirs)).toMatchObject({ status: 'pending' });
  });

  it('sends each once when several workers look at once', async () => {
    const jobs = await Promise.all(Array.from({ length: 12 }, () => ended()));
    const couriers = [dispatcher(), dispatcher(), dispatcher()];
    await Promise.all(couriers.flatMap((courier) => [courier.sweep(), courier.sweep()]));
    for (const jobId of jobs) await statusOf(jobId, 'delivered');
    expect(receiver.received).toHaveLength(12);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(12);
  });

  it('sends again what a worker sent and did not live to record', async () => {
    class Dying extends DeliveryRows {
      override settle = () => Promise.reject(new Error('the process is gone'));
    }
    const jobId = await ended();
    await dispatcher({ rows: new Dying(test.database, testKeys(test.database)) }).sweep();
    await eventually(() => expect(errors).toHaveLength(1));
    const survivor = dispatcher();
    await survivor.sweep();
    expect(receiver.received).toHaveLength(1);
    await timePasses(test.database);
    await survivor.sweep();
    await statusOf(jobId, 'delivered');
    const [first, second] = receiver.received;
    expect([second!.id, second!.body]).toEqual([first!.id, first!.body]);
  });

  it('lets a slow endpoint hold up no others, and no more of it run than its share', async () => {
    const slow = await WebhookReceiver.start();
    opened.push(slow);
    slow.plan = () => ({ hangs: true });
    for (let count = 0; count < 10; count++) await ended(slow.url);
    const quick = await ended();
    const started = Date.now();
    await dispatcher({ hosts: [receiver.host, slow.host] }).sweep();
    await statusOf(quick, 'delivered');
    expect(Date.now() - started).toBeLessThan(ATTEMPT_MS);
    expect(slow.received.length).toBeLessThanOrEqual(LIMITS.perHost);
  });

  it('goes on by itself until all is sent that is due, whatever its share at once', async () => {
    const jobs = await Promise.all(Array.from({ length: 30 }, () => ended()));
    await dispatcher().sweep();
    for (const jobId of jobs) await statusOf(jobId, 'delivered');
    expect(receiver.received).toHaveLength(30);
  });

  it('tells soon after an event that the bus told of', async () => {
    const bus = new PostgresEventBus(test.url, () => undefined);
    opened.push(bus);
    await eventually(() => expect(bus.healthy()).toBe(true));
    const courier = dispatcher();
    courier.listen(bus);
    const jobId = await ended();
    await bus.publish({ kind: 'events', jobId, userId, collectionId: null, seq: 2 });
    await statusOf(jobId, 'delivered');
  });

  it('tries again later what it could not sign, and says only that', async () => {
    const jobId = await ended();
    await secrets.current(userId);
    await test.database.query(`update webhook_secret set sealed = '\\x01' where user_id = $1`, [userId]);
    await dispatcher().sweep();
    await settled(jobId, 1);
    expect(await only(jobId)).toMatchObject({ status: 'pending', last_error: 'It could not be sent' });
    expect(errors).toHaveLength(1);
  });

  it('begins nothing more once it stops, and lets what runs end', async () => {
    receiver.plan = () => ({ hangs: true });
    const jobId = await ended();
    const stopping = dispatcher({ attemptMs: SHORT_MS });
    await stopping.sweep();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await stopping.stop();
    expect(await only(jobId)).toMatchObject({ status: 'pending', last_error: 'The host did not answer in time' });
    await timePasses(test.database);
    await stopping.sweep();
    expect(receiver.received).toHaveLength(1);
  });
});
