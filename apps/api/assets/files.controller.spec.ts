import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { dirname, join } from 'node:path';
import { createAsset, createCollection, type AssetPlan } from '../../../test/factories/asset.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { FilesController } from './files.controller.js';

const CONTENT = '0123456789';

describe(FilesController.name, () => {
  let api: TestApi;
  const userId = randomUUID();

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  const create = async (plan: Partial<AssetPlan> = {}, content = CONTENT) => {
    const { id, storageKey } = await createAsset(api.database, { userId, size: content.length, ...plan });
    const path = join(api.home, 'storage', storageKey);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return { id, path, url: `/files/${storageKey}` };
  };
  const publish = async (plan: Partial<AssetPlan> = {}, content?: string) =>
    create({ ...plan, collectionId: await createCollection(api.database, userId) }, content);
  const markMissing = (id: string) =>
    api.database.query('update flat_file set missing_since = now() where id = $1', [id]);
  const MADE = { mime_type: 'image/webp', size: 5, sha256: 'cd'.repeat(32), width: 4, height: 3 };
  /** The file with a thumbnail of 512 pixels, `small`. */
  const draw = async <File extends { id: string; path: string; url: string }>(file: File) => {
    await writeFile(`${file.path}.512.webp`, 'small');
    await api.database.query(
      `update flat_file set thumbnails = $2, thumbnail_url = $3 where id = $1`,
      [file.id, JSON.stringify({ 512: MADE }), `${file.url}.512.webp`],
    );
    return file;
  };
  const get = async (url: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(`${api.url}${url}`, { headers, method });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const signedUrl = async (id: string) => {
    const response = await fetch(`${api.url}/assets/${id}`, { headers: api.as(userId) });
    return (JSON.parse(await response.text()) as { data: { url: string } }).data.url;
  };

  describe('who gets a file', () => {
    it('everyone, of a published collection', async () => {
      const { url } = await publish();
      const { status, text, headers } = await get(url);
      expect([status, text, headers.get('cache-control')]).toEqual([200, CONTENT, 'public, max-age=3600']);
    });

    it('its owner and admins, and nobody else', async () => {
      const { url } = await create();
      expect((await get(url, api.as(userId))).headers.get('cache-control')).toBe('private, max-age=3600');
      expect((await get(url, api.as(randomUUID(), 'admin'))).status).toBe(200);
      expect(await get(url)).toMatchObject({ status: 404, text: expect.stringContaining('"NOT_FOUND"') });
      expect((await get(url, api.as(randomUUID()))).status).toBe(404);
    });

    it('whoever has its signed URL, as it was signed', async () => {
      const [mine, other] = [await create(), await create()];
      const url = await signedUrl(mine.id);
      expect(url).toMatch(new RegExp(`^${mine.url}\\?expires=\\d+&signature=`));
      expect((await get(url)).text).toBe(CONTENT);
      const query = new URL(url, api.url).searchParams;
      const [expires, signature] = [query.get('expires') as string, query.get('signature') as string];
      const tampered = [
        `${other.url}?expires=${expires}&signature=${signature}`,
        `${mine.url}?expires=${Number(expires) + 3600}&signature=${signature}`,
        `${mine.url}?expires=${expires}&signature=${'A'.repeat(43)}`,
        `${mine.url}?expires=${expires}`,
        `${mine.url}?expires=${expires}&expires=${expires}&signature=${signature}`,
        `${mine.url}?expires=1&signature=${signature}`,
      ];
      for (const forged of tampered) expect((await get(forged)).status).toBe(404);
    });

    it('as for a thumbnail: whoever sees the file', async () => {
      const [open, closed] = [await draw(await publish()), await draw(await create())];
      const { status, text, headers } = await get(`${open.url}.512.webp`);
      expect([status, text, headers.get('content-type'), headers.get('etag'), headers.get('cache-control')]).toEqual([
        200, 'small', 'image/webp', `"${MADE.sha256}"`, 'public, max-age=3600',
      ]);
      expect([headers.get('x-content-type-options'), headers.get('content-disposition')]).toEqual([
        'nosniff', expect.stringContaining('filename="art.webp"'),
      ]);
      const fresh = await get(`${open.url}.512.webp`, { 'if-none-match': `"${MADE.sha256}"` });
      expect([fresh.status, fresh.text]).toEqual([304, '']);
      expect((await get(`${closed.url}.512.webp`, api.as(userId))).text).toBe('small');
      for (const url of [`${closed.url}.512.webp`, `${open.url}.256.webp`, `${open.url}.999.webp`]) {
        expect((await get(url)).status).toBe(404);
      }
      const { data } = (await (await fetch(`${api.url}/assets/${closed.id}`, { headers: api.as(userId) })).json()) as {
        data: { url: string; thumbnail_url: string };
      };
      expect((await get(data.thumbnail_url)).text).toBe('small');
      expect((await get(data.thumbnail_url.replace('.512.webp', ''))).status).toBe(404);
      await api.database.query('update flat_file set deleted_at = now() where id = $1', [open.id]);
      expect((await get(`${open.url}.512.webp`)).status).toBe(404);
    });

    it('nobody, before it is shown, after it is deleted, or while its bytes are gone', async () => {
      const hidden = await publish({ shown: false });
      const deleted = await publish();
      const lost = await publish();
      await api.database.query('update flat_file set deleted_at = now() where id = $1', [deleted.id]);
      await rm(lost.path);
      for (const { url } of [hidden, deleted, lost]) {
        expect((await get(url, api.as(userId))).status).toBe(404);
        expect((await get(url)).status).toBe(404);
      }
    });

    it('nobody, while it is known to be missing: it is told so, and no half of it is given', async () => {
      const { id, url, path } = await publish();
      await writeFile(path, CONTENT.slice(0, 4));
      await markMissing(id);
      expect(await get(url)).toMatchObject({ status: 404, text: expect.stringContaining('missing in the storage') });
      expect((await get(url, {}, 'HEAD')).status).toBe(404);
      await writeFile(path, CONTENT);
      expect((await get(url)).text).toBe(CONTENT);
    });

    it('nobody any more once the collection is archived', async () => {
      const { url } = await publish();
      await api.database.query('update collection set archived = true');
      expect((await get(url)).status).toBe(404);
      expect((await get(url, api.as(userId))).status).toBe(200);
    });
  });

  it.each([
    '/files/', '/files/../package.json', '/files/..%2f..%2fpackage.json', '/files/%2e%2e/%2e%2e/etc/passwd',
    '/files//etc/passwd', '/files/uploads/..\\..\\x', '/files/uploads%00', '/files/.spool', '/files/%ff',
    '/files/uploads',
  ])('finds nothing at %s', (path) => findsNothing(path));
  it('finds nothing at a path that is too long', async () => {
    for (const length of [498, 501, 4_000]) await findsNothing(`/files/${'a'.repeat(length)}`);
  });

  const findsNothing = async (path: string) => {
    // `fetch` would tidy the path up before it is sent.
    const status = await new Promise((resolve, reject) => {
      const { hostname, port } = new URL(api.url);
      const request = httpRequest({ hostname, port, path, headers: api.as(userId) }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', reject).end();
    });
    expect([404, 400]).toContain(status);
  };

  describe('what a browser may do with it', () => {
    it.each([
      ['image/png', 'inline', 'image/png'],
      ['video/mp4', 'inline', 'video/mp4'],
      ['text/plain', 'inline', 'text/plain; charset=utf-8'],
      ['image/svg+xml', 'attachment', 'image/svg+xml; charset=utf-8'],
      ['text/html', 'attachment', 'text/html; charset=utf-8'],
      ['text/javascript', 'attachment', 'text/javascript; charset=utf-8'],
      ['application/xml', 'attachment', 'application/xml; charset=utf-8'],
      ['application/pdf', 'attachment', 'application/pdf'],
      ['application/octet-stream', 'attachment', 'application/octet-stream'],
    ])('%s: %s, and never run', async (mimeType, disposition, contentType) => {
      const { url } = await publish({ mimeType });
      const { headers } = await get(url);
      expect(headers.get('content-disposition')).toMatch(new RegExp(`^${disposition};`));
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': contentType,
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
      });
    });

    it('names it without breaking the header', async () => {
      const { url } = await publish({ name: `été "a"; x=(1)'.png` });
      expect((await get(url)).headers.get('content-disposition')).toBe(
        `inline; filename="_t_ _a_; x=(1)'.png"; filename*=UTF-8''%C3%A9t%C3%A9%20%22a%22%3B%20x%3D%281%29%27.png`,
      );
    });
  });

  describe('parts and conditions', () => {
    it('gives the whole file with its length and tag', async () => {
      const { headers } = await get((await publish()).url);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-length': '10', 'accept-ranges': 'bytes', etag: `"${'ab'.repeat(32)}"`,
      });
    });

    it('gives the part that is asked for', async () => {
      const { url } = await publish();
      const { status, text, headers } = await get(url, { range: 'bytes=2-4' });
      expect([status, text, headers.get('content-range'), headers.get('content-length')]).toEqual([
        206, '234', 'bytes 2-4/10', '3',
      ]);
      expect((await get(url, { range: 'bytes=-2' })).text).toBe('89');
      expect((await get(url, { range: 'bytes=0-1,3-4' })).text).toBe(CONTENT);
    });

    it('says how long the file is when the part lies outside', async () => {
      const { status, headers, text } = await get((await publish()).url, { range: 'bytes=10-' });
      expect([status, headers.get('content-range'), text]).toEqual([416, 'bytes */10', '']);
    });

    it('gives a part only of the version that the client has', async () => {
      const { url } = await publish();
      const part = (tag: string) => get(url, { range: 'bytes=0-0', 'if-range': tag });
      expect((await part(`"${'ab'.repeat(32)}"`)).status).toBe(206);
      expect((await part('"other"')).status).toBe(200);
    });

    it('sends nothing that the client has already', async () => {
      const { url } = await publish();
      const ask = (tags: string) => get(url, { 'if-none-match': tags });
      expect(await ask(`"x", W/"${'ab'.repeat(32)}"`)).toMatchObject({ status: 304, text: '' });
      expect((await ask('*')).status).toBe(304);
      expect((await ask('"x"')).status).toBe(200);
    });

    it('answers HEAD like GET, without the file', async () => {
      const { url } = await publish();
      const { status, text, headers } = await get(url, {}, 'HEAD');
      expect([status, text]).toEqual([200, '']);
      expect(Object.fromEntries(headers)).toMatchObject({ 'content-length': '10', 'content-type': 'image/png' });
      expect((await get((await create()).url, {}, 'HEAD')).status).toBe(404);
    });

    it('gives an empty file', async () => {
      const { url } = await publish({}, '');
      expect(await get(url)).toMatchObject({ status: 200, text: '' });
      expect((await get(url, { range: 'bytes=0-' })).status).toBe(416);
    });
  });
});
