import { FileUrls } from './file-urls.js';

const HOUR = 3_600_000;
const masterKey = 'k'.repeat(32);
const path = '/files/generations/a/0-b.png';
const key = 'generations/a/0-b.png';

describe(FileUrls.name, () => {
  let now: number;
  const at = () => now;
  const urls = new FileUrls({ masterKey }, at);
  const queryOf = (url: string) => Object.fromEntries(new URL(url, 'http://x').searchParams);

  beforeEach(() => {
    now = Date.parse('2026-11-21T10:30:00Z');
  });

  it('accepts what it signed', () => {
    const url = urls.signed(path);
    expect(url).toMatch(/^\/files\/generations\/a\/0-b\.png\?expires=\d+&signature=[\w-]{43}$/);
    expect(urls.verify(key, queryOf(url))).toBe(true);
  });

  it('signs the same within an hour, so that clients can cache', () => {
    const first = urls.signed(path);
    now += 29 * 60_000;
    expect(urls.signed(path)).toBe(first);
    now += 60_000;
    expect(urls.signed(path)).not.toBe(first);
  });

  it('lets a URL live for at least one hour and at most two', () => {
    const query = queryOf(urls.signed(path));
    now += HOUR;
    expect(urls.verify(key, query)).toBe(true);
    now += HOUR;
    expect(urls.verify(key, query)).toBe(false);
  });

  it('refuses another key, a later expiry, a changed or missing signature, another master key', () => {
    const query = queryOf(urls.signed(path));
    const flipped = (query.signature?.startsWith('A') ? 'B' : 'A') + query.signature?.slice(1);
    expect(urls.verify('generations/a/0-c.png', query)).toBe(false);
    expect(urls.verify(key, { ...query, expires: String(Number(query.expires) + 1) })).toBe(false);
    expect(urls.verify(key, { ...query, signature: flipped })).toBe(false);
    expect(urls.verify(key, { ...query, signature: '' })).toBe(false);
    expect(urls.verify(key, { expires: query.expires })).toBe(false);
    expect(urls.verify(key, { ...query, expires: [query.expires, query.expires] })).toBe(false);
    expect(urls.verify(key, { ...query, expires: '1e12' })).toBe(false);
    expect(new FileUrls({ masterKey: 'l'.repeat(32) }, at).verify(key, query)).toBe(false);
  });

  it('signs all sizes of a thumbnail as one, and the file itself apart', () => {
    const query = queryOf(urls.signed(`${path}.512.webp`));
    for (const variant of ['256.webp', '1024.webp', 'poster.jpg']) {
      expect(urls.verify(`${key}.${variant}`, query)).toBe(true);
    }
    for (const other of [key, `${key}.2048.webp`, 'generations/a/0-c.png.256.webp']) {
      expect(urls.verify(other, query)).toBe(false);
    }
    expect(urls.verify(`${key}.256.webp`, queryOf(urls.signed(path)))).toBe(false);
  });

  it('is absolute where the configuration says so; a CDN serves public files only', () => {
    const configured = new FileUrls(
      { masterKey, publicUrl: 'https://art.example/', cdnBaseUrl: 'https://cdn.example/files' }, at,
    );
    expect(configured.open(path)).toBe('https://cdn.example/files/generations/a/0-b.png');
    expect(configured.signed(path)).toMatch(/^https:\/\/art\.example\/files\/generations\/a\/0-b\.png\?expires=/);
    expect(urls.open(path)).toBe(path);
  });

  it('leads to no CDN for what lies encrypted', () => {
    const settings = { masterKey, publicUrl: 'https://api.example', cdnBaseUrl: 'https://cdn.example' };
    const encrypted = `/files/encrypted/0193fd6c-0000-7000-8000-000000000000/generations/a/0-b.png`;
    expect(new FileUrls(settings).open(path)).toBe(`https://cdn.example/${key}`);
    expect(new FileUrls(settings).open(encrypted)).toBe(`https://api.example${encrypted}`);
  });
});
