import { networkOf, trackerOf } from './tracker.js';

describe(networkOf, () => {
  it('takes what one subscriber has for one', () => {
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:2:ffff::1')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(networkOf('fe80::1%eth0')).toMatch(/^fe80::/);
  });

  it('knows an IPv4 address in either form', () => {
    expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
    expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  });

  it('leaves what it cannot read', () => expect(networkOf('unix:')).toBe('unix:'));
});

it('counts a user wherever they are', () => {
  const caller = { userId: 'u', role: 'user' } as const;
  expect(trackerOf({ caller, ip: '192.0.2.7' })).toBe('user:u');
  expect(trackerOf({ ip: '192.0.2.7' })).toBe('address:192.0.2.7');
});
