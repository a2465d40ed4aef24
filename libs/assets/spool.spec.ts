import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { Spool } from './spool.js';

const HELLO_SHA256 = createHash('sha256').update('hello').digest('hex');

describe(Spool.name, () => {
  let folder: string;
  let spool: Spool;

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'platen-spool-')), 'spool');
    spool = new Spool(folder);
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  const read = (bytes: Uint8Array | Readable, maxBytes = 1_000) =>
    spool.hold(bytes, { maxBytes }, async (file) => ({ ...file, content: await readFile(file.path, 'utf8') }));

  it.each([
    ['bytes', () => Buffer.from('hello')],
    ['a stream', () => Readable.from([Buffer.from('he'), Buffer.from('llo')])],
  ])('counts and hashes %s', async (_what, source) => {
    expect(await read(source())).toMatchObject({ content: 'hello', size: 5, sha256: HELLO_SHA256 });
  });

  it('takes a file of exactly the limit and refuses one byte more', async () => {
    expect((await read(Buffer.alloc(5), 5)).size).toBe(5);
    await expect(read(Buffer.alloc(6), 5)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', status: 413 });
  });

  it('stops an endless stream at the limit', async () => {
    const endless = Readable.from((function* () {
      for (;;) yield Buffer.alloc(1_024);
    })());
    await expect(read(endless, 100_000)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(endless.destroyed).toBe(true);
  });

  it('counts and hashes what somebody else writes, which is under the same limit', async () => {
    const made = (text: string) =>
      spool.holdMade((path) => writeFile(path, text), { maxBytes: 5 }, async (file) => ({ ...file, content: await readFile(file.path, 'utf8') }));
    expect(await made('hello')).toMatchObject({ content: 'hello', size: 5, sha256: HELLO_SHA256 });
    await expect(made('hello!')).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(spool.holdMade(() => Promise.reject(new Error('make')), { maxBytes: 5 }, async () => 0)).rejects.toThrow('make');
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves no file behind, whatever happens', async () => {
    await read(Buffer.from('hello'));
    await expect(read(Buffer.alloc(6), 5)).rejects.toThrow();
    const failing = spool.hold(Buffer.from('x'), { maxBytes: 5 }, () => Promise.reject(new Error('use')));
    await expect(failing).rejects.toThrow('use');
    const broken = Readable.from((async function* () {
      yield Buffer.from('x');
      throw new Error('cut off');
    })());
    await expect(read(broken)).rejects.toThrow('cut off');
    expect(await readdir(folder)).toEqual([]);
  });

  it('stops when the signal aborts, also while the source is silent', async () => {
    const silent = new Readable({ read: () => undefined });
    const reading = spool.hold(silent, { maxBytes: 5, signal: AbortSignal.timeout(20) }, async () => undefined);
    await expect(reading).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells of a source that breaks off before it is read', async () => {
    const source = addAbortSignal(AbortSignal.abort(), new Readable({ read: () => undefined }));
    await expect(read(source)).rejects.toThrow('aborted');
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what dead processes left a day ago, not what others hold now', async () => {
    await mkdir(folder);
    for (const name of ['old', 'recent']) await writeFile(join(folder, name), name);
    const yesterday = Date.now() / 1000 - 25 * 3_600;
    await utimes(join(folder, 'old'), yesterday, yesterday);
    await read(Buffer.from('hello'));
    expect(await readdir(folder)).toEqual(['recent']);
  });
});
