import { randomUUID } from 'node:crypto';
import { FaultProxy } from '../../test/chaos/harness/fault-proxy.js';
import { createTestDatabase } from '../../test/setup/database.js';
import { eventually } from '../../test/setup/eventually.js';
import { testRedisUrl } from '../../test/setup/redis.js';
import { createWakeQueue } from './index.js';
import type { WakeUp } from './wake-queue.js';

/** A blocking read that gets no answer is given up after 15 s, a query after 10 s. */
const GO_ON_MS = 25_000;

const wakeUp = (): WakeUp => ({ lane: 'default', generationId: randomUUID(), dispatch: 1 });

interface Server {
  url: string;
  variables(url: string): { redisUrl?: string; databaseUrl: string; prefix?: string };
  close(): Promise<void>;
}

const servers: Record<string, () => Promise<Server>> = {
  Postgres: async () => {
    const { url, close } = await createTestDatabase();
    return { url, close, variables: (databaseUrl) => ({ databaseUrl }) };
  },
  ...(testRedisUrl() && {
    Redis: async () => ({
      url: testRedisUrl() as string,
      close: async () => undefined,
      variables: (redisUrl: string) => ({ redisUrl, databaseUrl: '', prefix: `{${randomUUID()}}` }),
    }),
  }),
};

/** Silences every connection and lets new ones through; rejects when the queue never finds that out. */
async function surviveSilence(server: Server): Promise<void> {
  const way = await FaultProxy.to(server.url, Math.random);
  const queue = await createWakeQueue(server.variables(way.url));
  const taken: WakeUp[] = [];
  queue.consume('default', 2, async (one) => void taken.push(one));
  const wakeUntilTaken = (one: WakeUp, timeoutMs: number) =>
    eventually(async () => {
      await queue.wake([one]);
      expect(taken).toContainEqual(one);
    }, timeoutMs);
  try {
    await wakeUntilTaken(wakeUp(), 10_000);
    way.silence();
    way.speak();
    await wakeUntilTaken(wakeUp(), GO_ON_MS);
  } finally {
    await way.close();
    await queue.close();
    await server.close();
  }
}

describe('the wake queue, when its connections fall silent without an end', () => {
  // Side by side: what takes time is to be sure of the silence.
  const outcomes = new Map<string, Promise<void>>();
  beforeAll(() => {
    for (const [name, start] of Object.entries(servers)) {
      const outcome = start().then(surviveSilence);
      outcome.catch(() => undefined);
      outcomes.set(name, outcome);
    }
  });

  it.each(Object.keys(servers))('goes on by itself on new ones of %s', async (name) => {
    await outcomes.get(name);
  }, 60_000);
});
