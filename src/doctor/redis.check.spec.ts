import { atRest, buildPatient } from '../../test/factories/patient.js';
import { testRedisUrl } from '../../test/setup/redis.js';
import { judgeRedis, redisCheck } from './redis.check.js';

const SOUND = 'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\nmaxmemory:0\r\naof_enabled:1\r\n';
const worst = (info: string) => judgeRedis(info, 'redis:6379').filter(({ verdict }) => verdict !== 'ok');

it('finds nothing against a Redis in order', () => {
  expect(worst(SOUND)).toEqual([]);
});

it.each([
  ['drops entries', SOUND.replace('noeviction', 'allkeys-lru'), 'fail', 'allkeys-lru'],
  ['is too old', SOUND.replace('7.0.15', '5.0.3'), 'fail', '5.0.3'],
  ['is nearly full', `${SOUND.replace('maxmemory:0', 'maxmemory:100')}used_memory:90\r\n`, 'warn', '90 %'],
  ['keeps nothing on disk', SOUND.replace('aof_enabled:1', 'aof_enabled:0'), 'warn', 'append-only'],
  ['does not tell', SOUND.replace('maxmemory_policy', 'x'), 'warn', 'maxmemory-policy'],
])('finds a Redis that %s', (_what, info, verdict, text) => {
  expect(worst(info)).toEqual([expect.objectContaining({ verdict, text: expect.stringContaining(text), advice: expect.any(String) })]);
});

it('finds that nothing listens', async () => {
  const findings = await redisCheck.examine(buildPatient({ REDIS_URL: 'redis://:hunter22@127.0.0.1:1' }), atRest);
  expect(findings).toMatchObject([{ verdict: 'fail', text: expect.stringContaining('ECONNREFUSED') }]);
  expect(JSON.stringify(findings)).not.toContain('hunter22');
});

it('asks a Redis that is there, and has nothing against one that is not needed', async () => {
  const url = testRedisUrl();
  const findings = await redisCheck.examine(buildPatient(url ? { REDIS_URL: url } : {}), atRest);
  expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
});
