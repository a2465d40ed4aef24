import { AllowedHosts, isHostEntry } from './allowed-hosts.js';

const has = (entry: string, url: string) => new AllowedHosts([entry]).has(new URL(url));

describe(AllowedHosts.name, () => {
  it('exempts a host on every port, and one with a port on that alone', () => {
    expect(has('minio', 'http://minio:9000/a')).toBe(true);
    expect(has('minio:9000', 'http://MINIO:9000/a')).toBe(true);
    expect(has('minio:9000', 'http://minio:9001/a')).toBe(false);
    expect(has('minio:443', 'https://minio/a')).toBe(true);
    expect(has('minio:80', 'https://minio/a')).toBe(false);
  });

  it('goes by the whole name in its one spelling', () => {
    expect(has('10.0.0.5', 'http://0xa.5/')).toBe(true);
    expect(has('[FD00:0::5]:8080', 'http://[fd00::5]:8080/')).toBe(true);
    expect(has('Example.COM', 'http://example.com/')).toBe(true);
    for (const other of ['http://minio.evil.test/', 'http://xminio/', 'http://min/', 'http://evil.test/minio']) {
      expect(has('minio', other)).toBe(false);
    }
  });

  it('lets a usual port pass for any host, others for those exempt on it only', () => {
    const allowed = new AllowedHosts(['minio:9000']);
    const permits = (url: string) => allowed.permitsPort(new URL(url));
    expect(['http://a.test/', 'https://a.test/', 'http://a.test:8080/', 'http://minio:9000/'].map(permits))
      .toEqual([true, true, true, true]);
    expect(['http://a.test:22/', 'http://a.test:6379/', 'http://minio:22/', 'http://a.test:9000/'].map(permits))
      .toEqual([false, false, false, false]);
  });
});

it('tells entries from what is none', () => {
  expect(['a', 'a.b:80', '10.0.0.1', '[::1]:8080', 'a_b'].filter((entry) => !isHostEntry(entry))).toEqual([]);
  const wrong = ['', 'http://a', 'a/b', 'a:', 'a:99999', 'u@a', 'a b', '::1', '*.a/'];
  expect(wrong.filter(isHostEntry)).toEqual([]);
});
