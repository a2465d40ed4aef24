import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { createAsset, createCollection } from '../../../test/factories/asset.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';
import { AssetsController } from './assets.controller.js';

const PLANS = JSON.stringify({ tiny: { storageBytes: 100 } });

describe(AssetsController.name, () => {
  let api: TestApi;
  let userId: string;

  beforeAll(async () => {
    api = await startTestApi({ MAX_ASSET_BYTES: '3000000', PLANS });
  });
  afterAll(() => api.close());
  beforeEach(() => {
    userId = randomUUID();
  });
  afterEach(async () => expect(await readdir(join(api.home, 'spool')).catch(() => [])).toEqual([]));

  const send = async (path: string, init: RequestInit = {}, user = userId) => {
    const headers = { ...api.as(user), ...(init.headers as Record<string, string>) };
    const response = await fetch(`${api.url}${path}`, { ...init, headers });
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  };
  const formOf = (content: Buffer | string, name = 'file', type = 'application/octet-stream') => {
    const form = new FormData();
    form.append('file', new Blob([content as string], { type }), name);
    return form;
  };
  const upload = (content: Buffer | string, name?: string, type?: string, headers = {}) =>
    send('/assets', { method: 'POST', body: formOf(content, name, type), headers });
  const image = (width = 40, height = 30) => sharp({ create: { width, height, channels: 3, background: 'teal' } });
  const storedFiles = async () =>
    (await readdir(join(api.home, 'storage'), { recursive: true, withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isFile() && entry.parentPath.includes(userId));

  describe('POST /assets', () => {
    it('takes an image and answers its row', async () => {
      const { status, body } = await upload(await image().png().toBuffer(), 'é 1.jpeg', 'image/jpeg');
      expect(status).toBe(201);
      expect(body).toEqual({
        success: true,
        error: null,
        data: {
          id: expect.stringMatching(/^\d+$/),
          url: expect.stringMatching(/^\/files\/uploads\/.+\.png\?expires=\d+&signature=/),
          thumbnail_url: null, name: 'é 1.png', mime_type: 'image/png', size: expect.any(Number),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/), width: 40, height: 30, duration: null, step_id: null,
        },
      });
      const file = await fetch(`${api.url}${body.data.url}`);
      const bytes = Buffer.from(await file.arrayBuffer());
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.data.sha256);
      expect(bytes.length).toBe(body.data.size);
    });

    it('has thumbnails made of an image, not of text', async () => {
      const ids = [await upload(await image().png().toBuffer()), await upload('words', 'a.txt', 'text/plain')].map(({ body }) => body.data.id);
      const rows = await api.database.query<{ id: string }>(
        'select id from flat_file where id = any($1::bigint[]) and thumbnail_due <= now()', [ids]);
      expect(rows.map(({ id }) => id)).toEqual([ids[0]]);
    });

    it('keeps nothing of a photo but its picture', async () => {
      const photo = await image().jpeg().withExif({ IFD0: { Artist: 'SECRET' } }).toBuffer();
      const { body } = await upload(Buffer.concat([photo, Buffer.from('<script>SECRET</script>')]), 'photo.jpg');
      const bytes = Buffer.from(await (await fetch(`${api.url}${body.data.url}`)).arrayBuffer());
      expect(bytes.includes('SECRET')).toBe(false);
    });

    it.each([
      ['a,b\n1,2', 'text/csv', 'text/csv'],
      ['{"palette": ["#fff"]}', 'application/json', 'application/json'],
      ['words', 'text/plain', 'text/plain'],
    ])('takes %j as %s', async (content, type, mimeType) => {
      expect((await upload(content, 'data', type)).body.data).toMatchObject({ mime_type: mimeType, width: null });
    });

    it.each([
      ['a picture with a script', '<svg xmlns="x"><script>alert(1)</script></svg>', 'image/svg+xml'],
      ['a page', '<!doctype html><script>alert(1)</script>', 'text/html'],
      ['a page called a picture', '<html><script>alert(1)</script></html>', 'image/png'],
      ['a script', 'alert(1)', 'text/javascript'],
      ['a program', Buffer.from('7f454c4602010100', 'hex'), 'image/png'],
      ['an archive', Buffer.from('504b0304140000000800', 'hex'), 'application/zip'],
      ['an image that is cut off', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'image/png'],
    ])('refuses %s', async (_what, content, type) => {
      const { status, body } = await upload(content, 'art.png', type);
      expect([status, body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      expect(await storedFiles()).toEqual([]);
    });

    it('refuses a pixel bomb by its header', async () => {
      const bomb = await image(7_000, 7_000).png().toBuffer();
      expect(bomb.length).toBeLessThan(1_000_000);
      const { status, body } = await upload(bomb, 'bomb.png');
      expect([status, body.error]).toEqual([413, 'An image may have 40 megapixels at most']);
    });

    it('takes more than a JSON body may have, and refuses more than a file may have', async () => {
      expect((await upload('x'.repeat(2_000_000))).status).toBe(201);
      const { status, body } = await upload('x'.repeat(30_000_000));
      expect([status, body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    });

    it('says what is wrong with a form', async () => {
      const faultOf = async (init: RequestInit) => {
        const { status, body } = await send('/assets', { method: 'POST', ...init });
        return [status, body.details?.[0].field ?? body.code];
      };
      const two = formOf('a');
      two.append('other', new Blob(['b']), 'b.txt');
      const field = new FormData();
      field.append('title', 'x');
      const headers = { 'content-type': 'multipart/form-data; boundary=X' };
      const cutOff = '--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nab';
      expect(await faultOf({ body: two })).toEqual([400, 'other']);
      expect(await faultOf({ body: field })).toEqual([400, 'title']);
      expect(await faultOf({ body: new FormData() })).toEqual([400, 'file']);
      expect(await faultOf({ body: cutOff, headers })).toEqual([400, 'body']);
      const json = { 'content-type': 'application/json' };
      expect(await faultOf({ body: '{}', headers: json })).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      expect(await storedFiles()).toEqual([]);
    });

    it('keeps nothing of an upload that is cut off', async () => {
      const { hostname, port } = new URL(api.url);
      const form = { 'content-type': 'multipart/form-data; boundary=X', 'content-length': 1_000_000 };
      const headers = { ...api.as(userId), ...form };
      const request = httpRequest({ hostname, port, path: '/assets', method: 'POST', headers });
      request.on('error', () => undefined);
      request.write('--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n');
      request.write('x'.repeat(100_000));
      const spooled = () => readdir(join(api.home, 'spool'));
      await eventually(async () => expect(await spooled()).toHaveLength(1));
      request.destroy();
      await eventually(async () => expect(await spooled()).toEqual([]));
      expect(await storedFiles()).toEqual([]);
    });

    it('answers twins alike and stores one file', async () => {
      const key = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all([1, 2, 3].map(() => upload('same', 'a.txt', 'text/plain', key)));
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(await storedFiles()).toHaveLength(1);
      expect((await upload('other', 'a.txt', 'text/plain', key)).status).toBe(422);
    });

    it('stops at what the plan allows, also when uploads race for the last bytes', async () => {
      await send('/assets');
      await api.database.query(`update account set plan = 'tiny' where user_id = $1`, [userId]);
      const answers = await Promise.all(Array.from({ length: 6 }, () => upload('x'.repeat(40))));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 402, 402, 402, 402]);
      expect(answers.find(({ status }) => status === 402)?.body).toMatchObject({
        code: 'STORAGE_QUOTA_EXCEEDED', details: { limit: 100, used: 80 },
      });
      expect(await storedFiles()).toHaveLength(2);
    });

    it('counts results, too, but nothing that is hidden or deleted', async () => {
      await send('/assets');
      await api.database.query(`update account set plan = 'tiny' where user_id = $1`, [userId]);
      const collectionId = await createCollection(api.database, userId);
      await createAsset(api.database, { userId, collectionId, size: 90 });
      await createAsset(api.database, { userId, collectionId, size: 500, shown: false });
      const { id } = await createAsset(api.database, { userId, collectionId, size: 500 });
      await api.database.query('update flat_file set deleted_at = now() where id = $1', [id]);
      expect((await upload('x'.repeat(11))).body).toMatchObject({ details: { limit: 100, used: 90 } });
      expect((await upload('x'.repeat(10))).status).toBe(201);
    });

    it('is closed to strangers', async () => {
      expect((await fetch(`${api.url}/assets`, { method: 'POST', body: formOf('x') })).status).toBe(401);
    });
  });

  describe('GET /assets', () => {
    it("pages through the caller's own, newest first", async () => {
      for (const name of ['1', '2', '3']) await createAsset(api.database, { userId, name });
      await createAsset(api.database, { userId, shown: false });
      const first = (await send('/assets?limit=2')).body.data;
      const second = (await send(`/assets?limit=2&cursor=${first.next_cursor}`)).body.data;
      expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['3', '2', '1']);
      expect(second.next_cursor).toBeNull();
      expect((await send('/assets', {}, randomUUID())).body.data).toEqual({ items: [], next_cursor: null });
    });

    it.each(['limit=0', 'limit=101', 'limit=x', 'cursor=x'])('refuses %s', async (query) => {
      expect((await send(`/assets?${query}`)).status).toBe(400);
    });
  });

  describe('GET /assets/:id', () => {
    const get = async (id: string, user?: string) => {
      const headers = user ? api.as(user) : {};
      const response = await fetch(`${api.url}/assets/${id}`, { headers });
      return { status: response.status, body: JSON.parse(await response.text()) };
    };

    it('tells the owner how it was made', async () => {
      const { id } = await createAsset(api.database, { userId });
      expect((await get(id, userId)).body.data).toMatchObject({
        id, gen_in_data: { steps: [] }, gen_out_data: { hash: 'oo' }, job_id: null, generation_id: null,
      });
    });

    it('opens a published one to everyone, with a URL that needs no signature, and keeps its making', async () => {
      const { id, storageKey } = await createAsset(api.database, {
        userId, collectionId: await createCollection(api.database, userId),
      });
      const { body } = await get(id);
      expect(body.data).toMatchObject({ url: `/files/${storageKey}`, gen_in_data: null, gen_out_data: null });
    });

    it.each(['0', '-1', '01', 'abc', '1e3', '9223372036854775808', '999999999', randomUUID(), '%00'])(
      'knows no asset %s', async (id) => expect((await get(id, userId)).status).toBe(404),
    );

    it("does not know another user's", async () => {
      const { id } = await createAsset(api.database, { userId });
      expect((await get(id, randomUUID())).status).toBe(404);
      expect((await get(id)).status).toBe(404);
    });
  });

  describe('DELETE /assets/:id', () => {
    it('removes the asset, its file and its part of the quota', async () => {
      const { body } = await upload('content');
      const remove = (user = userId) => send(`/assets/${body.data.id}`, { method: 'DELETE' }, user);
      expect((await remove(randomUUID())).status).toBe(404);
      expect(await remove()).toMatchObject({ status: 200, body: { success: true, data: null } });
      expect(await remove()).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
      expect((await fetch(`${api.url}${body.data.url}`)).status).toBe(404);
      expect(await storedFiles()).toEqual([]);
    });
  });
});
