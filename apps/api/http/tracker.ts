import ipaddr from 'ipaddr.js';
import type { FastifyRequest } from 'fastify';

/** Whose requests are counted together: a user's, or those of one address without credentials. */
export const trackerOf = ({ caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>): string =>
  caller ? `user:${caller.userId}` : `address:${networkOf(ip)}`;

/** An IPv6 address by its /64, which is what one subscriber gets; an IPv4 address as it is, however written. */
export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString()}/64`;
}
