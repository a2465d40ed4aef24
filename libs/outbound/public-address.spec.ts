import { isPublicAddress } from './public-address.js';

describe(isPublicAddress, () => {
  it.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    'takes %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ['this host', '0.0.0.0'], ['this network', '0.1.2.3'], ['loopback', '127.0.0.1'], ['loopback', '127.255.0.9'],
    ['private', '10.0.0.1'], ['private', '172.16.0.1'], ['private', '172.31.255.255'], ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'], ['carrier-grade NAT', '100.127.255.254'],
    ['link-local', '169.254.1.1'], ['metadata', '169.254.169.254'], ['metadata', '100.100.100.200'],
    ['metadata', '192.0.0.192'], ['documentation', '192.0.2.1'], ['benchmarks', '198.18.0.1'],
    ['6to4 relay', '192.88.99.1'], ['multicast', '224.0.0.1'], ['reserved', '240.0.0.1'], ['broadcast', '255.255.255.255'],
    ['this host', '::'], ['loopback', '::1'], ['mapped', '::ffff:127.0.0.1'], ['mapped public', '::ffff:8.8.8.8'],
    ['compatible', '::127.0.0.1'], ['compatible public', '::8.8.8.8'], ['translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'], ['NAT64 public', '64:ff9b::808:808'], ['local NAT64', '64:ff9b:1::a00:1'],
    ['6to4', '2002:7f00:1::'], ['6to4 private', '2002:a00:1::1'], ['Teredo', '2001:0:4136:e378::1'],
    ['unique local', 'fc00::1'], ['unique local metadata', 'fd00:ec2::254'], ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'], ['multicast', 'ff02::1'], ['documentation', '2001:db8::1'], ['discard', '100::1'],
    ['ORCHID', '2001:20::1'], ['with a zone', 'fe80::1%eth0'], ['not given out', '4000::1'],
    ['short', '127.1'], ['hexadecimal', '0x7f.0.0.1'], ['a name', 'localhost'], ['nothing', ''],
  ])('refuses %s: %s', (_what, address) => expect(isPublicAddress(address)).toBe(false));
});
