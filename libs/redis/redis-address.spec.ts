import { loadEnvironment } from '#libs/config/environment.js';
import { parseRedisUrl, passwordsIn, shownRedisAddress } from './redis-address.js';

it.each(['redis://localhost', 'redis://:pass@10.0.0.1:6380/2', 'rediss://user:p%40ss@cache.example.com'])('leaves %s to the driver', (url) => {
  expect(parseRedisUrl(url)).toEqual({ kind: 'single', url });
});

it('reads sentinels', () => {
  expect(parseRedisUrl('redis+sentinel://app:p%40ss@s1:26380,s2,[::1]:26379/3?name=main&tls=true&sentinelPassword=two')).toEqual({
    kind: 'sentinel',
    nodes: [{ host: 's1', port: 26_380 }, { host: 's2', port: 26_379 }, { host: '::1', port: 26_379 }],
    username: 'app', password: 'p@ss', name: 'main', db: 3, tls: true, sentinelUsername: undefined, sentinelPassword: 'two',
  });
});

it('reads a cluster', () => {
  expect(parseRedisUrl('redis+cluster://:secret@n1:7000,n2')).toEqual({
    kind: 'cluster', nodes: [{ host: 'n1', port: 7_000 }, { host: 'n2', port: 6_379 }], password: 'secret', tls: false,
  });
});

it.each([
  ['http://hunter22@localhost', 'must begin with redis://'],
  ['redis://hunter22@h1,h2:6379', 'must name one host'],
  ['redis://:hunter22%off@h1', 'percent-encoded'],
  ['redis+sentinel://:hunter22@h1,h2/0', '?name=<master>'],
  ['redis+sentinel://:hunter22@h1,h2/first?name=main', 'number of a database'],
  ['redis+sentinel://:hunter22@/0?name=main', 'host[:port],host[:port]'],
  ['redis+sentinel://:hunter22@h1?name=main&role=slave', 'no parameters but name, tls'],
  ['redis+cluster://:hunter22@h1:99999', 'host[:port],host[:port]'],
  ['redis+cluster://:hunter22@h1,,h2', 'host[:port],host[:port]'],
  ['redis+cluster://:hunter22@h1/2', 'a cluster has only 0'],
  ['redis+cluster://:hunter22@h1?tls=yes', 'true or false for tls'],
  ['redis+cluster://:hunter22%@h1', 'percent-encoded'],
])('refuses %s at start, by name, and tells no secret', (url, reason) => {
  const load = () => loadEnvironment({ REDIS_URL: url });
  expect(load).toThrow(`REDIS_URL: REDIS_URL ${reason.startsWith('must') ? reason : ''}`);
  expect(load).toThrow(reason);
  expect(load).not.toThrow('hunter22');
});

it('shows whom it asks, and no secret', () => {
  const sentinels = 'redis+sentinel://:hunter22@s1,s2/0?name=main&sentinelPassword=hunter23';
  expect(shownRedisAddress(sentinels)).toBe('main of the sentinels s1:26379,s2:26379');
  expect(passwordsIn(sentinels)).toEqual(expect.arrayContaining(['hunter22', 'hunter23']));
  expect(shownRedisAddress('redis+cluster://:hunter22@n1:7000')).toBe('the cluster n1:7000');
  expect(shownRedisAddress('redis://:hunter22@localhost:6379/1')).toBe('localhost:6379/1');
});
