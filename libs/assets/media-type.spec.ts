import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { detectMediaType } from './media-type.js';

describe(detectMediaType, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'platen-type-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const typeOf = async (content: string | Buffer, declared?: string) => {
    const path = join(folder, 'file');
    await writeFile(path, content);
    return (await detectMediaType(path, declared)).mimeType;
  };
  const image = (format: 'png' | 'jpeg' | 'webp' | 'gif') =>
    sharp({ create: { width: 4, height: 3, channels: 3, background: 'teal' } }).toFormat(format).toBuffer();

  it.each(['png', 'jpeg', 'webp', 'gif'] as const)('knows a %s whatever it is called', async (format) => {
    expect(await typeOf(await image(format), 'text/html')).toBe(`image/${format}`);
  });

  it('sees a PNG in a PNG with a script behind it', async () => {
    const polyglot = Buffer.concat([await image('png'), Buffer.from('<script>alert(1)</script>')]);
    expect(await typeOf(polyglot, 'text/html')).toBe('image/png');
  });

  it.each([
    ['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'image/svg+xml'],
    ['<?xml version="1.0"?>\n<!-- a --><svg/>', 'image/svg+xml'],
    ['\uFEFF \n<!DOCTYPE svg PUBLIC "x" "y"><svg></svg>', 'image/svg+xml'],
    ['<!doctype html><title>x</title>', 'text/html'],
    ['  <HTML><svg></svg>', 'text/html'],
    ['<script>alert(1)</script>', 'text/html'],
    ['<img src=x onerror=alert(1)>', 'text/html'],
    ['<!-- c --><body>', 'text/html'],
    ['<?xml version="1.0"?><rss/>', 'application/xml'],
  ])('recognises markup in %j', async (content, type) => {
    for (const declared of [undefined, 'image/png', 'text/plain', 'application/json']) {
      expect(await typeOf(content, declared)).toBe(type);
    }
  });

  it.each([
    ['a line', undefined, 'text/plain'],
    ['', undefined, 'text/plain'],
    ['a,b\n1,2', 'text/csv; charset=utf-8', 'text/csv'],
    ['{"a":1}', 'application/json', 'application/json'],
    ['{"a":', 'application/json', 'text/plain'],
    ['alert(1)', 'application/javascript', 'text/javascript'],
    ['hello', 'text/html', 'text/html'],
    ['not a picture', 'image/png', 'text/plain'],
    ['<3 you', undefined, 'text/plain'],
  ])('calls the text %j, declared %s, %s', async (content, declared, type) => {
    expect(await typeOf(content, declared)).toBe(type);
  });

  it.each([
    ['invalid UTF-8', Buffer.from([0x61, 0xc3, 0x28])],
    ['a character cut off at the end', Buffer.from([0x61, 0xe2, 0x82])],
    ['a NUL', Buffer.from('a\0b')],
    ['a PNG cut off in its signature', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
  ])('does not take %s for text', async (_what, content) => {
    expect(await typeOf(content, 'application/json')).toBe('application/octet-stream');
  });

  it('accepts a character that lies across two reads', async () => {
    expect(await typeOf('a'.repeat(65_535) + 'é'.repeat(10))).toBe('text/plain');
  });
});
