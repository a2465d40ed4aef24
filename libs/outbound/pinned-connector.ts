import { lookup, Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import type { AllowedHosts } from './allowed-hosts.js';
import { isPublicAddress } from './public-address.js';
import { addressIn, notPublic } from './vetted-url.js';

const RESOLVE_TIMEOUT_MS = 3_000;
const RESOLVE_TRIES = 2;
const CONNECT_TIMEOUT_MS = 5_000;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 8;

/** All addresses of a name. Empty: it has none. */
export type ResolveName = (name: string, isAllowed: boolean) => Promise<string[]>;

/**
 * Names of strangers are asked of the DNS alone and in a time of our own: the system's resolver knows the
 * machine's host file, and a slow one would hold the threads that files are read with.
 */
export const resolveName: ResolveName = async (name, isAllowed) => {
  if (isAllowed) return (await lookup(name, { all: true })).map(({ address }) => address);
  const resolver = new Resolver({ timeout: RESOLVE_TIMEOUT_MS, tries: RESOLVE_TRIES });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
};

/**
 * Opens connections to public addresses only. A name is resolved once, all its addresses are judged, and the
 * connection goes to one of those: a name that resolves otherwise a moment later changes nothing.
 */
export function pinnedConnector(allowed: AllowedHosts, resolve: ResolveName, ca?: string): buildConnector.connector {
  return (options, connected) => {
    const isAllowed = allowed.has(new URL(`${options.protocol}//${options.hostname}:${options.port || ''}`));
    addressesOf(options.hostname, isAllowed, resolve).then(
      (addresses) => connectTo(addresses, ca, options, connected),
      (error: Error) => connected(error, null),
    );
  };
}

async function addressesOf(hostname: string, isAllowed: boolean, resolve: ResolveName): Promise<string[]> {
  const literal = addressIn({ hostname });
  const addresses = literal === null ? await resolve(hostname, isAllowed).catch(() => []) : [literal];
  // One that is not public condemns the rest: which of them is taken would be the stranger's to choose.
  if (addresses.length === 0 || !(isAllowed || addresses.every(isPublicAddress))) throw notPublic();
  return addresses.slice(0, MAX_ADDRESSES);
}

function connectTo(
  addresses: string[],
  ca: string | undefined,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): void {
  // Asked for all of them, as it is with `autoSelectFamily`.
  const pinned: LookupFunction = (_name, _options, found) =>
    found(null, addresses.map((address) => ({ address, family: isIP(address) })));
  const connect = buildConnector({
    lookup: pinned, timeout: CONNECT_TIMEOUT_MS, autoSelectFamily: true, ...(ca !== undefined && { ca }),
  });
  connect(options, (...[error, socket]: [Error | null, Socket | null]) => {
    if (socket && !isAmong(socket.remoteAddress, addresses)) {
      socket.destroy();
      callback(notPublic(), null);
    } else if (socket) callback(null, socket);
    else callback(error as Error, null);
  });
}

const isAmong = (address: string | undefined, addresses: string[]): boolean =>
  address !== undefined && addresses.some((pinned) => plain(pinned) === plain(address));

/** In its one spelling. */
const plain = (address: string): string => ipaddr.process(address).toString();
