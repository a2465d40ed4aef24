import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { Environment } from '#libs/config/environment.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { eventually } from '../../test/setup/eventually.js';
import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import { goodDays } from '#libs/providers/stand-in/dials.js';
import { createProviders } from './index.js';
import { anyUrl, type PredictionRequest, type Provider, type ProviderError } from './provider.js';
import { retryAfter } from './replicate-api.js';
import { ReplicateProvider, type ReplicateSettings } from './replicate.provider.js';

const HEX = 'a'.repeat(64);
const signal = () => AbortSignal.timeout(30_000);

describe('Replicate', () => {
  let server: ReplicateServer;
  let client: OutboundClient;
  let replicate: Provider;

  const provider = (more: Partial<ReplicateSettings> = {}) =>
    new ReplicateProvider(client, { baseUrl: server.apiUrl, apiToken: server.token, ...more });
  const request = (more: Partial<PredictionRequest> = {}): PredictionRequest =>
    ({ model: 'owner/name', input: { prompt: 'a fox' }, token: randomUUID(), ...more });
  const fault = (work: Promise<unknown>) => work.then(() => ({ fault: 'none', message: '' }), (error: ProviderError) => error);

  beforeAll(async () => {
    server = await ReplicateServer.start();
    client = new OutboundClient({ allowedHosts: [new URL(server.apiUrl).host, server.deliveryHost] });
    replicate = provider();
  });
  beforeEach(() => {
    Object.assign(server.dials, goodDays());
    server.calls.length = 0;
    server.deliveries.length = 0;
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  it('runs a prediction and gives its file', async () => {
    const { id, state } = await replicate.submit(request(), signal());
    expect(state).toBe('starting');
    await eventually(async () => expect((await replicate.get(id, signal())).state).toBe('succeeded'));
    const [url] = (await replicate.get(id, signal())).output as string[];
    expect(replicate.isFile(url as string)).toBe(true);
    expect((await buffer(replicate.download(url as string, signal()))).subarray(1, 4).toString()).toBe('PNG');
  });

  it.each([
    ['owner/name', 'POST models/owner/name/predictions'],
    [`owner/name:${HEX}`, 'POST predictions'],
    [HEX, 'POST predictions'],
  ])('asks for %s by its own route', async (model, call) => {
    await replicate.submit(request({ model }), signal());
    expect(server.calls).toEqual([call]);
  });

  it('asks by /v1 where a base address has no path', async () => {
    await provider({ baseUrl: new URL(server.apiUrl).origin }).submit(request(), signal());
    expect(server.calls).toEqual(['POST models/owner/name/predictions']);
  });

  it('shows its token to the API alone', async () => {
    server.dials.output = (_asked, { delivered, guarded }) => [delivered(0), guarded(1)];
    const { id } = await replicate.submit(request(), signal());
    await eventually(async () => expect((await replicate.get(id, signal())).state).toBe('succeeded'));
    const urls = (await replicate.get(id, signal())).output as string[];
    for (const url of urls) expect((await buffer(replicate.download(url, signal()))).length).toBeGreaterThan(50);
    expect(server.deliveries.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each(['', '/predictions', '/webhooks/default/secret', '/files', '/files/a/b', '/../v1/predictions', '/files/..%2Fpredictions'])(
    'does not show it for what a model names there: %s', async (path) => {
      const url = `${server.apiUrl}${path}`;
      expect(replicate.isFile(url)).toBe(false);
      expect(await fault(buffer(replicate.download(url, signal())))).toMatchObject({ fault: 'refused' });
    });

  it.each([
    ['succeeded', 'succeeded'], ['failed', 'failed'], ['canceled', 'canceled'], ['aborted', 'canceled'],
    ['hibernating', 'processing'],
  ])('reads the state %s as %s', async (end, state) => {
    Object.assign(server.dials, { startMs: 0, runMs: 0, end: () => end });
    const { id } = await replicate.submit(request(), signal());
    expect((await replicate.get(id, signal())).state).toBe(state);
  });

  it('reads how far a model is from its log', async () => {
    Object.assign(server.dials, { startMs: 0, runMs: 60_000 });
    const { id } = await replicate.submit(request(), signal());
    expect((await replicate.get(id, signal())).progress).toBe(0.45);
  });

  it('cancels, and does not mind what has ended or is unknown', async () => {
    server.dials.runMs = 60_000;
    const { id } = await replicate.submit(request(), signal());
    for (const each of [id, id, 'nobody']) await replicate.cancel(each, signal());
    expect((await replicate.get(id, signal())).state).toBe('canceled');
  });

  it('hands files over as they come', async () => {
    const bytes = Buffer.alloc(300_000, 7);
    const file = { name: 'a "b"\n.png', mimeType: 'image/png', size: bytes.length, open: async () => Readable.from([bytes]) };
    const url = await replicate.upload(file, signal());
    expect(url).toMatch(/\/v1\/files\//);
    const body = server.uploads.at(-1) as Buffer;
    expect(body.toString('latin1')).toContain('name="content"; filename="a__b__.png"\r\nContent-Type: image/png\r\n\r\n');
    expect(body.includes(bytes)).toBe(true);
    const large = { ...file, size: 101 * 1024 ** 2 };
    expect(await fault(replicate.upload(large, signal()))).toMatchObject({ fault: 'input' });
  });

  describe('says in its own words', () => {
    const ask = async (dials: Partial<ReplicateServer['dials']>, more: Partial<PredictionRequest> = {}) => {
      Object.assign(server.dials, dials);
      const error = await fault(replicate.submit(request(more), signal()));
      expect(JSON.stringify(error) + error.message).not.toContain('secret');
      return error;
    };

    it('which input is refused, and nothing else of the answer', async () => {
      expect(await ask({ inputNames: ['prompt'] }, { input: { prompt: 'x', width: 9 } }))
        .toMatchObject({ fault: 'input', message: 'The model refuses input.width' });
      expect(await ask({ onCall: () => ({ status: 422 }) })).toMatchObject({ fault: 'input' });
    });

    it.each([
      [401, 'refused'], [402, 'refused'], [403, 'refused'], [404, 'missing'], [418, 'answer'], [500, 'unavailable'],
      [503, 'unavailable'],
    ])('what the status %i means: %s', async (status, kind) => {
      expect(await ask({ onCall: () => ({ status }) })).toMatchObject({ fault: kind });
    });

    it('that an answer was lost or makes no sense', async () => {
      expect(await ask({ onCall: () => 'lost' })).toMatchObject({ fault: 'unavailable' });
      expect(await ask({ onCall: () => 'garbled' })).toMatchObject({ fault: 'answer' });
    });

    it.each([
      [{ throttled: true as const, retryAfter: 7, inDetail: 30 }, 7_000],
      [{ throttled: true as const, inDetail: 30 }, 30_000],
      [{ throttled: true as const }, 15_000],
    ])('when to come again: %j', async (busy, retryAfterMs) => {
      expect(await ask({ onCall: () => busy })).toMatchObject({ fault: 'throttled', retryAfterMs });
    });

    it('that it has no token, without asking', async () => {
      const without = new ReplicateProvider(client, { baseUrl: server.apiUrl });
      expect(await fault(without.submit(request(), signal()))).toMatchObject({ fault: 'refused' });
      expect(server.calls).toEqual([]);
    });
  });

  it('reads Retry-After as a date, and believes five minutes at most', () => {
    const now = Date.parse('2026-11-21T10:00:00Z');
    expect(retryAfter({ 'retry-after': 'Sat, 21 Nov 2026 10:00:20 GMT' }, '', now)).toBe(20_000);
    expect(retryAfter({ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, '', now)).toBe(15_000);
    expect(retryAfter({ 'retry-after': '99999' }, '', now)).toBe(300_000);
  });

  describe('finds a prediction whose answer was lost', () => {
    const lose = async (asked: PredictionRequest, by: Provider = replicate) => {
      server.dials.onCall = ({ method }) => (method === 'POST' ? 'lost' : null);
      await fault(by.submit(asked, signal()));
      server.dials.onCall = () => null;
      return server.predictions.ids()[0];
    };

    it('by the lifetime it was given, among equal ones', async () => {
      const equal = () => request({ input: { prompt: 'equal' } });
      const asked = equal();
      const id = await lose(asked);
      for (let others = 0; others < 3; others++) await replicate.submit(equal(), signal());
      expect(await replicate.find(asked, Date.now(), signal())).toMatchObject({ id });
      expect(await replicate.find(equal(), Date.now(), signal())).toBeNull();
    }, 30_000);

    it('made twice: the first of them', async () => {
      const asked = request({ input: { prompt: 'twice' } });
      server.dials.onCall = ({ method }) => (method === 'POST' ? 'doubled' : null);
      const { id } = await replicate.submit(asked, signal());
      expect(await replicate.find(asked, Date.now(), signal())).toMatchObject({ id });
    });

    it('by its webhook, whatever became of the input', async () => {
      Object.assign(server.dials, { showsWebhook: true, showsDeadline: false });
      const reporting = provider({ webhookUrl: (token) => `http://127.0.0.1:9/hook?step=${token}` });
      const asked = request();
      const id = await lose(asked, reporting);
      await reporting.submit(request(), signal());
      expect(await reporting.find({ ...asked, input: {} }, Date.now(), signal())).toMatchObject({ id });
    });

    it('by an equal input where nothing else tells, if there is but one', async () => {
      server.dials.showsDeadline = false;
      const asked = request({ input: { prompt: randomUUID(), image: anyUrl } });
      const given = (token: string) => ({ ...asked, token, input: { ...asked.input, image: 'https://a.example/b.png' } });
      const id = await lose(given(asked.token));
      expect(await replicate.find(asked, Date.now(), signal())).toMatchObject({ id });
      await replicate.submit(given(randomUUID()), signal());
      expect(await replicate.find(asked, Date.now(), signal())).toBeNull();
    });

    it('on a later page, and looks no further back than asked', async () => {
      const asked = request({ input: { prompt: 'on a later page' } });
      const id = await lose(asked);
      for (let others = 0; others < 105; others++) await replicate.submit(request(), signal());
      expect(await replicate.find(asked, 0, signal())).toMatchObject({ id });
      server.calls.length = 0;
      expect(await replicate.find(asked, Date.now() + 120_000, signal())).toBeNull();
      expect(server.calls).toHaveLength(1);
    }, 30_000);

    it('also when the list fails for a moment', async () => {
      const asked = request();
      const id = await lose(asked);
      server.dials.onCall = ({ path, before }) => (path === 'predictions' && before % 2 === 0 ? { status: 502 } : null);
      expect(await replicate.find(asked, Date.now(), signal())).toMatchObject({ id });
    });
  });

  describe('copies a file', () => {
    const url = () => `${server.deliveryUrl}/${randomUUID()}/out-0.png`;
    const whole = async (at: string) => {
      server.dials.onFile = () => null;
      return buffer(replicate.download(at, signal()));
    };

    it.each([true, false])('that is cut, from where it was (ranges: %s)', async (hasRanges) => {
      const at = url();
      server.dials.onFile = ({ before }) => (before < 2 ? { cutAfter: 40, hasRanges } : null);
      const copied = await buffer(replicate.download(at, signal()));
      expect(copied.equals(await whole(at))).toBe(true);
    });

    it('whose host is away for a moment, but not one that is gone', async () => {
      server.dials.onFile = ({ before }) => (before < 1 ? { status: 503 } : null);
      expect((await buffer(replicate.download(url(), signal()))).length).toBeGreaterThan(50);
      server.dials.onFile = () => ({ status: 404 });
      expect(await fault(buffer(replicate.download(url(), signal())))).toMatchObject({ fault: 'missing' });
      expect(server.count(/^GET/)).toBe(3);
    });

    it('that stands in the output itself', async () => {
      const at = `data:image/png;base64,${Buffer.from('bytes').toString('base64')}`;
      expect(replicate.isFile(at)).toBe(true);
      expect(String(await buffer(replicate.download(at, signal())))).toBe('bytes');
    });

    it.each(['http://127.0.0.1:1/x.png', 'http://169.254.169.254/latest.txt'])('never from %s', async (at) => {
      expect(await fault(buffer(replicate.download(at, signal())))).toMatchObject({ fault: 'answer' });
    });
  });

  it.each([
    ['https://replicate.delivery/a/out', true], ['https://x.replicate.delivery/a', true],
    ['https://evil-replicate.delivery/a', false], ['https://example.com/', false], ['https://example.com/a.webp', true],
    ['see https://example.com/a.webp', false], ['a text', false],
  ])('takes %s for a file: %s', (text, is) => {
    expect(replicate.isFile(text)).toBe(is);
  });

  it('takes a data URL without end for a text', () => {
    expect(replicate.isFile(`data:a/b${';a'.repeat(8_000_000)}`)).toBe(false);
  });

  const SECRET = { REPLICATE_WEBHOOK_SECRET: 'whsec_aaaa' };
  const HTTPS = { PUBLIC_URL: 'https://platen.test' };
  it.each([
    [true, 'it can be judged and reached', { ...SECRET, ...HTTPS }],
    [true, 'it is to be trusted', { ALLOW_UNSIGNED_WEBHOOKS: true, ...HTTPS }],
    [false, 'it could not be judged', HTTPS],
    [false, 'it has no address', SECRET],
    [false, 'Replicate would refuse the address', {
      ...SECRET, PUBLIC_URL: 'http://platen.test', REPLICATE_BASE_URL: 'https://api.replicate.com/v1',
    }],
  ])('waits for a report: %s, for %s', async (reports, _why, settings) => {
    const base = { REPLICATE_BASE_URL: server.apiUrl, ALLOWED_HOSTS: [] };
    const providers = createProviders({ ...base, ...settings } as unknown as Environment);
    expect(providers.replicate.reports).toBe(reports);
    await providers.close();
  });

  it('reads its own webhooks alone', () => {
    const { webhookSecret } = server.dials;
    const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' };
    expect(() => provider({ webhookSecret }).readWebhook(headers, Buffer.from('{}'))).toThrow('not signed');
    expect(() => provider().readWebhook(headers, Buffer.from('{}'))).toThrow('not signed');
  });
});
