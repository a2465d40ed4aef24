import { networkInterfaces } from 'node:os';

/** Spellings of this machine and of networks that are not public, as they may stand in a URL. */
export const HOSTILE_HOSTS = [
  // Loopback.
  '127.0.0.1', '127.0.0.2', '127.255.255.254', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '0x7F.0x0.0x0.0x1',
  '017700000001', '0177.0.0.1', '0177.0.0.01', '127.0.0.1.', '127.1.', '0x7f.0.1', '%31%32%37.0.0.1', '127%2e0%2e0%2e1',
  '１２７.０.０.１', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', '①②⑦.⓪.⓪.①', '127.0.0.1%00.evil.test', '0', '0.0.0.0', '00.0.0.0', '0x0', '0.0',
  '[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::]', '[0::0]', '[::0001]',
  '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::127.0.0.1]', '[::7f00:1]', '[::ffff:0.0.0.0]',
  '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]',
  '[2002:7f00:0001::1]', '[2001:0:7f00:1::]', '[2001::80ff:fffe]', '[::1%25lo]', '[::1%lo]',
  'localhost', 'LOCALHOST', 'localhost.', 'ｌｏｃａｌｈｏｓｔ', 'foo.localhost', 'localhost.localdomain', 'ip6-localhost',
  // Private, link-local and metadata.
  '10.0.0.1', '10.255.255.255', '012.0.0.1', '0xa.0.0.1', '167772161', '172.16.0.1', '172.31.255.254', '192.168.0.1',
  '192.168.257', '0xc0a80001', '3232235521', '169.254.169.254', '169.254.43518', '0xa9fea9fe', '2852039166',
  '0251.0376.0251.0376', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]', '[fe80::1]', '[fe80::a9fe:a9fe]',
  '[fc00::1]', '[fd12:3456:789a::1]', '[fec0::1]', '[64:ff9b::a9fe:a9fe]', '[2002:a9fe:a9fe::]', '100.100.100.200',
  '192.0.0.192', '169.254.170.2', '168.63.129.16.nip.test', 'metadata.google.internal', 'instance-data', 'metadata',
  // Others that are not public.
  '100.64.0.1', '100.127.255.255', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1',
  '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '4294967295', '0xffffffff', '0.0.0.1',
  '[ff02::1]', '[ff05::2]', '[100::1]', '[2001:db8::1]', '[2001:10::1]', '[2001:20::1]', '[3fff::1]',
  ...Object.values(networkInterfaces()).flatMap((found) => found ?? []).filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address),
];

/** What the stranger's own DNS says: addresses inside, also beside one outside. */
export const HOSTILE_NAMES: Record<string, string[]> = {
  'inside.test': ['127.0.0.1'],
  'inside6.test': ['::1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'mixed.test': ['127.0.0.1', '93.184.216.34'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'metadata.google.internal': ['169.254.169.254'],
  'none.test': [],
};
/** Leads the stranger's names, and those of this machine, to where they should never get. */
export const hostileResolve = async (name: string) => HOSTILE_NAMES[name] ?? (/localhost|ip6-/.test(name) ? ['127.0.0.1', '::1'] : ['10.0.0.1']);

/** What is no URL of the web at all. */
export const HOSTILE_FORMS = [
  'ftp://127.0.0.1/', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'data:text/plain,x', 'javascript:alert(1)', 'ws://127.0.0.1/',
  'blob:http://127.0.0.1/1', 'unix:/run/docker.sock', 'http:', 'http://', '//127.0.0.1/', '/files/x', '', ' ', 'x', 'http://a b/', 'http://[::1', 'http://256.256.256.256/',
  `https://127.0.0.1/${'x'.repeat(3_000)}`,
];
