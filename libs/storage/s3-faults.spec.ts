import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { FaultyWay, type Fault } from '../../test/setup/s3/faulty-way.js';
import { startS3Server, type S3Server } from '../../test/setup/s3/server.js';
import type { S3Storage } from './s3.storage.js';

const MIB = 1024 ** 2;
const TEXT = { mimeType: 'text/plain' };
const TIMEOUTS = { connectMs: 2_000, idleMs: 500, answerMs: 5_000 };

describe('S3Storage on a bad way to its server', () => {
  let server: S3Server;
  let way: FaultyWay;
  let storage: S3Storage;
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'platen-faults-'));
    server = await startS3Server();
  });
  beforeEach(async () => {
    way = await FaultyWay.to(server.url);
    storage = server.storage({ endpoint: way.url, timeouts: TIMEOUTS });
  });
  afterEach(async () => {
    await storage.close();
    await way.close();
  });
  afterAll(async () => {
    await server.close();
    await rm(home, { recursive: true });
  });

  const put = async (key: string, content: Buffer | string, into = storage) => {
    const path = join(home, createHash('sha256').update(key).digest('hex'));
    await writeFile(path, content);
    await into.put(key, path, TEXT);
  };
  /** What the server itself has, whatever the way does. */
  const kept = async (key: string) => {
    const direct = server.storage();
    try {
      return await buffer(await direct.open(key));
    } finally {
      await direct.close();
    }
  };
  const isComplete = (method: string, path: string) => method === 'POST' && path.includes('uploadId=');

  it.each<[Fault & string]>([['slow_down'], ['hang'], ['cut'], ['done_but_lost'], ['garbled']])(
    'puts a small file right although its first two requests end as: %s',
    async (fault) => {
      way.plan = ({ method, before }) => (method === 'PUT' && before < 2 ? fault : null);
      await put(`small/${fault}`, 'content');
      expect(String(await kept(`small/${fault}`))).toBe('content');
      expect(way.passed).toHaveLength(3);
    },
  );

  it.each<[Fault & string]>([['slow_down'], ['hang'], ['cut'], ['done_but_lost'], ['garbled']])(
    'puts a file of several parts right although a part ends as: %s',
    async (fault) => {
      const content = randomBytes(12 * MIB);
      let faults = 0;
      way.plan = ({ path }) => (path.includes('partNumber=2') && faults++ === 0 ? fault : null);
      await put(`parts/${fault}`, content);
      expect((await kept(`parts/${fault}`)).equals(content)).toBe(true);
      expect(server.bucket.uploads.size).toBe(0);
    },
  );

  it('puts a file of several parts again when its end was reached, but nobody heard of it', async () => {
    const content = randomBytes(11 * MIB);
    let ends = 0;
    way.plan = ({ method, path }) => (isComplete(method, path) && ends++ === 0 ? 'done_but_lost' : null);
    await put('parts/end', content);
    expect((await kept('parts/end')).equals(content)).toBe(true);
    expect(server.bucket.uploads.size).toBe(0);
  });

  it('leaves no parts behind when a file cannot be put', async () => {
    way.plan = ({ path }) => (path.includes('partNumber=2') ? 'cut' : null);
    await expect(put('parts/never', randomBytes(11 * MIB))).rejects.toThrow();
    expect(server.bucket.uploads.size).toBe(0);
    expect(server.bucket.objects.has('parts/never')).toBe(false);
  });

  it('gives a download that is cut again and again to its end', async () => {
    const content = randomBytes(3 * MIB);
    await put('cut', content);
    way.plan = ({ method, before }) => (method === 'GET' && before < 4 ? { cutAfter: 600_000 } : null);
    expect((await buffer(await storage.open('cut'))).equals(content)).toBe(true);
    const range = { start: 1_000, end: 2 * MIB };
    way.plan = ({ method, before }) => (method === 'GET' && before < 6 ? { cutAfter: 100_000 } : null);
    const part = await buffer(await storage.open('cut', { range }));
    expect(part.equals(content.subarray(1_000, 2 * MIB + 1))).toBe(true);
  });

  it('gives a download that stalls to its end', async () => {
    const content = randomBytes(2 * MIB);
    await put('stalls', content);
    way.plan = ({ method, before }) => (method === 'GET' && before < 2 ? { hangAfter: 700_000 } : null);
    expect((await buffer(await storage.open('stalls'))).equals(content)).toBe(true);
  });

  it('lets a reader pause for longer than a connection may be idle', async () => {
    const content = randomBytes(8 * MIB);
    await put('pause', content);
    const pieces: Buffer[] = [];
    for await (const piece of await storage.open('pause')) {
      if (pieces.length % 60 === 0) await sleep(800);
      pieces.push(piece as Buffer);
    }
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
  });

  it('fails rather than to mix two versions of an object', async () => {
    await put('mixed', randomBytes(3 * MIB));
    way.plan = ({ method, before }) => (method === 'GET' && before < 1 ? { cutAfter: 600_000 } : null);
    const reading = await storage.open('mixed');
    await put('mixed', randomBytes(3 * MIB));
    await expect(buffer(reading)).rejects.toThrow();
  });

  it('fails when a download never gets any further', async () => {
    await put('stuck', randomBytes(3 * MIB));
    way.plan = ({ method, before }) => (method === 'GET' ? { cutAfter: before < 1 ? 600_000 : 0 } : null);
    await expect(buffer(await storage.open('stuck'))).rejects.toThrow();
  });

  it('gives up on a server that never answers, after its attempts', async () => {
    way.plan = () => 'hang';
    const calls = [put('never', 'content'), storage.stat('never'), storage.open('never'), storage.check()];
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
  });

  it('is told at once to stop waiting for a server that never answers', async () => {
    way.plan = () => 'hang';
    const patient = server.storage({ endpoint: way.url });
    const begun = Date.now();
    for (const source of [Readable.from(['small']), Readable.from([Buffer.alloc(12 * MIB)])]) {
      const putting = patient.put('never', source, { ...TEXT, signal: AbortSignal.timeout(300) });
      await expect(putting).rejects.toThrow(/timeout/i);
    }
    const opening = patient.open('never', { signal: AbortSignal.timeout(300) });
    await expect(opening).rejects.toThrow();
    expect(Date.now() - begun).toBeLessThan(10_000);
    await patient.close();
  });

  it('keeps 99.5 % of what is put while 30 % of the requests fail, each as it was', async () => {
    const seed = 20_261_121;
    way.plan = ({ path, before }) => {
      const roll = createHash('sha256').update(`${seed} ${path} ${before}`).digest().readUInt32BE() / 2 ** 32;
      return (['slow_down', 'hang', 'done_but_lost'] as const)[Math.floor(roll * 10)] ?? null;
    };
    // A machine that stands still for half a second is no fault of the way.
    const patient = server.storage({ endpoint: way.url, timeouts: { ...TIMEOUTS, idleMs: 2_000 } });
    const keys = Array.from({ length: 200 }, (_, index) => `storm/${index}`);
    const turns = new PQueue({ concurrency: 16 });
    const puts = keys.map((key) => turns.add(() => put(key, `content of ${key}`, patient)));
    const results = await Promise.allSettled(puts);
    await patient.close();
    const failed = results.filter(({ status }) => status === 'rejected').length;
    expect(failed).toBeLessThanOrEqual(1);
    for (const [index, { status }] of results.entries()) {
      const key = keys[index] as string;
      if (status === 'fulfilled') expect(String(await kept(key))).toBe(`content of ${key}`);
    }
  });
});
