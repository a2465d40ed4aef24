import { shownRedisAddress } from '#libs/redis/redis-address.js';
import { connectRedis, serversOf } from '#libs/redis/redis-client.js';
import { fail, ok, warn, type Check, type Finding } from './check.js';

const ANSWER_MS = 5_000;
const OLDEST = [6, 2] as const;
const NEARLY_FULL = 0.8;

export const redisCheck: Check = {
  name: 'Redis',
  async examine({ redisUrl }) {
    if (!redisUrl) return [ok('none is configured: Postgres carries queue, events and rate limits')];
    const address = shownRedisAddress(redisUrl);
    const redis = connectRedis(redisUrl, {
      lazyConnect: true, retryStrategy: () => null, connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS,
    });
    let reason = '';
    redis.on('error', (error: Error & { lastNodeError?: Error }) => (reason = (error.lastNodeError ?? error).message));
    try {
      await redis.connect();
      const servers = serversOf(redis);
      const findings = servers.map(async (server) => {
        const place = servers.length > 1 ? `${server.options.host}:${server.options.port} of ${address}` : address;
        return judgeRedis(await server.info(), place);
      });
      return (await Promise.all(findings)).flat();
    } catch (error) {
      return [fail(
        `${address} does not answer: ${reason || (error as Error).message}`,
        'Work goes on without it, a little later. Start Redis, or correct REDIS_URL.',
      )];
    } finally {
      redis.disconnect();
    }
  },
};

/** Judges by what `INFO` says: it is allowed where a managed Redis forbids `CONFIG`. */
export function judgeRedis(info: string, address: string): Finding[] {
  const told = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
  const version = told('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isRecent = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return [
    isRecent
      ? ok(`Redis ${version} at ${address}`)
      : fail(`Redis ${version} at ${address}`, `The queue needs Redis ${OLDEST.join('.')} or newer.`),
    judgeEviction(told('maxmemory_policy')),
    ...judgeMemory(Number(told('used_memory') ?? 0), Number(told('maxmemory') ?? 0)),
    told('aof_enabled') === '1'
      ? ok('it keeps an append-only file')
      : warn('it keeps no append-only file', 'Nothing is lost without: rows are woken again within seconds. Set "appendonly yes" for a quicker restart.'),
  ];
}

function judgeEviction(policy: string | undefined): Finding {
  if (policy === 'noeviction') return ok('it drops nothing when its memory is full (noeviction)');
  if (!policy) return warn('it does not tell its maxmemory-policy', 'It must be "noeviction".');
  return fail(
    `its maxmemory-policy is ${policy}, which drops entries of the queue`,
    'CONFIG SET maxmemory-policy noeviction. No process starts before that.',
  );
}

function judgeMemory(used: number, most: number): Finding[] {
  if (most === 0) return [];
  const text = `it uses ${Math.round((100 * used) / most)} % of its memory`;
  return [used / most < NEARLY_FULL ? ok(text) : warn(text, 'Raise maxmemory: a full Redis refuses wake-ups.')];
}
