import ipaddr from 'ipaddr.js';

/** All of IPv6 that is given out to networks of the public Internet. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an IP address is one of the public Internet, where a stranger's URL may lead. Not among them:
 * loopback, private and link-local networks (with the metadata services of clouds), carrier-grade NAT,
 * multicast and reserved ranges, and every IPv6 form that carries an IPv4 address inside (mapped, 6to4,
 * Teredo, NAT64), since what it carries would have to be judged as well. What cannot be read is not public.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}
