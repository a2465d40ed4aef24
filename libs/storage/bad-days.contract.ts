import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { FaultyWay, type Fault, type Passing } from '../../test/setup/faulty-way.js';
import { isInTurn } from '../../test/setup/turn.js';
import type { Storage } from './storage.js';
import type { TimeLimits } from './time-limits.js';

const MIB = 1024 ** 2;
const TEXT = { mimeType: 'text/plain' };
/** The tests wait more than they work. */
const AT_ONCE = 3;
const PATIENCE_MS = 5_000;
/** A machine that stands still for a moment is no fault of the way. */
const LIMITS = { connectMs: 5_000, idleMs: 2_000, answerMs: 20_000 };
/** A minute and a half on two cores, all of them: a run of all tests has time for one. */
const CLOUDS = ['S3Storage', 'AzureStorage', 'GcsStorage'];
const PART_FAULTS = ['slow_down', 'hang', 'cut', 'done_but_lost', 'garbled'] as const;
const FAULTS = ['too_many', ...PART_FAULTS] as const;

/** A server of the tests that plays a cloud. */
export interface CloudServer {
  url: string;
  objects: { has(key: string): boolean };
  /** A driver for it; with another `endpoint`, by way of that. */
  storage(settings?: { endpoint?: string; timeLimits?: Partial<TimeLimits> }): Storage;
  close(): Promise<void>;
}

export interface Cloud<Server extends CloudServer> {
  start(): Promise<Server>;
  /** Whether a request brings the second part of an upload in parts, … */
  isSecondPart(passing: Passing): boolean;
  /** … or ends it: of three parts. */
  isEnd(passing: Passing): boolean;
  /** Uploads in parts that neither ended nor were given up, where somebody pays for them. */
  unfinished(server: Server): number;
}

/** One test's own bad way to the server, and a driver that takes it. */
interface Trial {
  way: FaultyWay;
  storage: Storage;
  put(key: string, content: Buffer | string, into?: Storage): Promise<void>;
  /** What the server itself has, whatever the way does. */
  kept(key: string): Promise<Buffer>;
  /** Harms the first request of this kind. */
  harmOnce(fault: Fault, isIt: (passing: Passing) => boolean): void;
}

type Trials<Server> = Record<string, (trial: Trial, server: Server) => Promise<void>>;

/** What every driver of a cloud guarantees while the way to its server, or the server, fails. */
export function describeBadDays<Server extends CloudServer>(name: string, cloud: Cloud<Server>): void {
  const describeInTurn = isInTurn(name, CLOUDS) ? describe : describe.skip;
  describeInTurn(`${name} on a bad way to its server`, () => {
    const trials: Trials<Server> = {
      ...Object.fromEntries([...puts(), ...putsOfParts(cloud)]), ...downloads, ...silence, ...storm,
    };
    const ends = new Map<string, Promise<void>>();
    const turns = new PQueue({ concurrency: AT_ONCE });
    let server: Server;
    let home: string;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'platen-faults-'));
      server = await cloud.start();
      for (const [what, trial] of Object.entries(trials)) {
        const end = turns.add(() => onItsWay(server, home, (begun) => trial(begun, server)));
        // Told by its test.
        end.catch(() => undefined);
        ends.set(what, end);
      }
    });
    afterAll(async () => {
      // Whatever hangs was told by its test.
      await Promise.race([turns.onIdle(), sleep(PATIENCE_MS)]);
      await server.close();
      await rm(home, { recursive: true });
    });

    it.each(Object.keys(trials))('%s', async (what) => ends.get(what));

    it('leaves no upload that somebody pays for', async () => {
      await turns.onIdle();
      expect(cloud.unfinished(server)).toBe(0);
    });
  });
}

async function onItsWay(server: CloudServer, home: string, work: (trial: Trial) => Promise<void>): Promise<void> {
  const way = await FaultyWay.to(server.url);
  const storage = server.storage({ endpoint: way.url, timeLimits: LIMITS });
  const put = async (key: string, content: Buffer | string, into = storage) => {
    const path = join(home, createHash('sha256').update(key).update(content).digest('hex'));
    await writeFile(path, content);
    await into.put(key, path, TEXT);
  };
  const kept = async (key: string) => {
    const direct = server.storage();
    try {
      return await buffer(await direct.open(key));
    } finally {
      await direct.close();
    }
  };
  const harmOnce = (fault: Fault, isIt: (passing: Passing) => boolean) => {
    let times = 0;
    way.plan = (passing) => (isIt(passing) && times++ === 0 ? fault : null);
  };
  try {
    await work({ way, storage, put, kept, harmOnce });
  } finally {
    await storage.close();
    await way.close();
  }
}

const puts = () =>
  FAULTS.map((fault) => [
    `puts a small file right although its first two requests end as: ${fault}`,
    async ({ way, put, kept }: Trial) => {
      let requests = 0;
      way.plan = ({ method }) => (method !== 'GET' && requests++ < 2 ? fault : null);
      await put(`small/${fault}`, 'content');
      expect(String(await kept(`small/${fault}`))).toBe('content');
      expect(way.passed.length).toBeGreaterThanOrEqual(3);
    },
  ] as const);

const putsOfParts = <Server extends CloudServer>({ isSecondPart, isEnd }: Cloud<Server>) => [
  ...PART_FAULTS.map((fault) => [
    `puts a file of several parts right although a part ends as: ${fault}`,
    async ({ put, kept, harmOnce }: Trial) => {
      const content = randomBytes(12 * MIB);
      harmOnce(fault, isSecondPart);
      await put(`parts/${fault}`, content);
      expect((await kept(`parts/${fault}`)).equals(content)).toBe(true);
    },
  ] as const),
  [
    'puts a file of several parts right when its end was reached, but nobody heard of it',
    async ({ put, kept, harmOnce }: Trial) => {
      const content = randomBytes(11 * MIB);
      harmOnce('done_but_lost', isEnd);
      await put('parts/end', content);
      expect((await kept('parts/end')).equals(content)).toBe(true);
    },
  ] as const,
  [
    'leaves nothing behind when a file cannot be put',
    async ({ way, put }: Trial, server: Server) => {
      way.plan = (passing) => (isSecondPart(passing) ? 'cut' : null);
      await expect(put('parts/never', randomBytes(11 * MIB))).rejects.toThrow();
      expect(server.objects.has('parts/never')).toBe(false);
    },
  ] as const,
  [
    'mixes no two files of several parts of which one is put in the middle of the other',
    async ({ way, put, kept }: Trial, server: Server) => {
      const versions = [randomBytes(11 * MIB), randomBytes(11 * MIB)] as const;
      const slow = server.storage({ endpoint: way.url, timeLimits: { ...LIMITS, idleMs: 2_000 } });
      let second: Promise<void> | undefined;
      way.plan = (passing) => {
        if (second || !isSecondPart(passing)) return null;
        second = put('parts/twice', versions[1]);
        return 'hang';
      };
      await put('parts/twice', versions[0], slow);
      await second;
      await slow.close();
      const result = await kept('parts/twice');
      expect(versions.some((content) => content.equals(result))).toBe(true);
    },
  ] as const,
];

const downloads: Trials<CloudServer> = {
  'gives a download that is cut again and again to its end': async ({ way, storage, put }) => {
    const content = randomBytes(3 * MIB);
    await put('cut', content);
    way.plan = ({ method, before }) => (method === 'GET' && before < 4 ? { cutAfter: 600_000 } : null);
    expect((await buffer(await storage.open('cut'))).equals(content)).toBe(true);
    const range = { start: 1_000, end: 2 * MIB };
    way.plan = ({ method, before }) => (method === 'GET' && before < 6 ? { cutAfter: 100_000 } : null);
    const part = await buffer(await storage.open('cut', { range }));
    expect(part.equals(content.subarray(1_000, 2 * MIB + 1))).toBe(true);
  },

  'gives a download that stalls to its end': async ({ way, storage, put }) => {
    const content = randomBytes(2 * MIB);
    await put('stalls', content);
    way.plan = ({ method, before }) => (method === 'GET' && before < 2 ? { hangAfter: 700_000 } : null);
    expect((await buffer(await storage.open('stalls'))).equals(content)).toBe(true);
  },

  'lets a reader pause for longer than a connection may be idle': async ({ storage, put }) => {
    const content = randomBytes(8 * MIB);
    await put('pause', content);
    const pieces: Buffer[] = [];
    for await (const piece of await storage.open('pause')) {
      if (pieces.length === 40) await sleep(LIMITS.idleMs + 400);
      pieces.push(piece as Buffer);
    }
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
  },

  'fails rather than to mix two versions of an object': async ({ way, storage, put }) => {
    await put('mixed', randomBytes(3 * MIB));
    way.plan = ({ method, before }) => (method === 'GET' && before < 1 ? { cutAfter: 600_000 } : null);
    const reading = await storage.open('mixed');
    await put('mixed', randomBytes(3 * MIB));
    await expect(buffer(reading)).rejects.toThrow();
  },

  'fails when a download never gets any further': async ({ way, storage, put }) => {
    await put('stuck', randomBytes(3 * MIB));
    way.plan = ({ method, before }) => (method === 'GET' ? { cutAfter: before < 1 ? 600_000 : 0 } : null);
    await expect(buffer(await storage.open('stuck'))).rejects.toThrow();
  },
};

const silence: Trials<CloudServer> = {
  'gives up on a server that never answers, after its attempts': async ({ way, put }, server) => {
    way.plan = () => 'hang';
    const hasty = server.storage({ endpoint: way.url, timeLimits: { ...LIMITS, idleMs: 200 } });
    const calls = [
      put('never', 'content', hasty), hasty.stat('never'), hasty.open('never'), hasty.delete('never'),
      hasty.list({ prefix: '', limit: 1 }), hasty.check(),
    ];
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    await hasty.close();
  },

  'is told at once to stop waiting for a server that never answers': async ({ way }, server) => {
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
  },
};

const storm: Trials<CloudServer> = {
  'keeps 99.5 % of what is put while 30 % of the requests fail, each as it was': async ({ way, put, kept }, server) => {
    const seed = 20_261_121;
    way.plan = ({ path, before }) => {
      const roll = createHash('sha256').update(`${seed} ${path} ${before}`).digest().readUInt32BE() / 2 ** 32;
      return (['slow_down', 'hang', 'done_but_lost'] as const)[Math.floor(roll * 10)] ?? null;
    };
    const patient = server.storage({ endpoint: way.url, timeLimits: { ...LIMITS, idleMs: 4_000 } });
    const keys = Array.from({ length: 200 }, (_, index) => `storm/${index}`);
    const turns = new PQueue({ concurrency: 16 });
    const results = await Promise.allSettled(
      keys.map((key) => turns.add(() => put(key, `content of ${key}`, patient))),
    );
    await patient.close();
    const failed = results.filter(({ status }) => status === 'rejected').length;
    expect(failed).toBeLessThanOrEqual(1);
    for (const [index, { status }] of results.entries()) {
      const key = keys[index] as string;
      if (status === 'fulfilled') expect(String(await kept(key))).toBe(`content of ${key}`);
    }
  },
};
