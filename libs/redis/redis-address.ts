import { isURL } from 'class-validator';

/** A server's place. Brackets of IPv6 are off. */
export interface RedisNode {
  host: string;
  port: number;
}

interface Credentials {
  username?: string;
  password?: string;
}

/** `redis://` or `rediss://`: one server, as ioredis reads its URL. */
interface SingleAddress {
  kind: 'single';
  url: string;
}

/** Sentinels, which know where the master of that name is. */
interface SentinelAddress extends Credentials {
  kind: 'sentinel';
  nodes: RedisNode[];
  name: string;
  db: number;
  tls: boolean;
  sentinelUsername?: string;
  sentinelPassword?: string;
}

/** Some nodes of a cluster, which know the others. */
interface ClusterAddress extends Credentials {
  kind: 'cluster';
  nodes: RedisNode[];
  tls: boolean;
}

export type RedisAddress = SingleAddress | SentinelAddress | ClusterAddress;

const MANY = /^redis\+(sentinel|cluster):\/\/(?:([^@/?]*)@)?([^@/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;
const NODE = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const SENTINEL_PARAMETERS = ['name', 'tls', 'sentinelUsername', 'sentinelPassword'];
const CLUSTER_PARAMETERS = ['tls'];
const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6_379 };

/**
 * Reads `redis[s]://[user:password@]host[:port][/db]`,
 * `redis+sentinel://[user:password@]h1[:26379],h2/<db>?name=<master>[&tls=true][&sentinelUsername=…&sentinelPassword=…]` or
 * `redis+cluster://[user:password@]h1[:6379],h2[?tls=true]`. The credentials are those of the Redis servers.
 * Throws an error that says what is wrong and shows nothing of the URL, which may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  if (/^rediss?:\/\//.test(url)) return single(url);
  const [matched, kind, userinfo, hosts = '', path = '', query] = MANY.exec(url) ?? [];
  if (!matched) {
    throw new Error('must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://, and name a host');
  }
  const parameters = new URLSearchParams(query);
  return kind === 'sentinel' ? sentinel(hosts, path, userinfo, parameters) : cluster(hosts, path, userinfo, parameters);
}

/** What may be shown of it: hosts, and whom they are asked for. */
export function shownRedisAddress(url: string): string {
  const address = parseRedisUrl(url);
  if (address.kind === 'single') {
    const { host, pathname } = new URL(address.url);
    return pathname === '/' ? host : `${host}${pathname}`;
  }
  const nodes = address.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  return address.kind === 'sentinel' ? `${address.name} of the sentinels ${nodes}` : `the cluster ${nodes}`;
}

/** What must never be shown of it, as it is written and as it is meant. */
export function passwordsIn(url: string): string[] {
  const address = parseRedisUrl(url);
  if (address.kind === 'single') {
    const { password } = new URL(address.url);
    return [password, decodeURIComponent(password)];
  }
  const passwords = [address.password, address.kind === 'sentinel' ? address.sentinelPassword : undefined];
  return passwords.flatMap((password) => (password ? [password, encodeURIComponent(password)] : []));
}

function single(url: string): SingleAddress {
  if (!isURL(url, { protocols: ['redis', 'rediss'], require_tld: false, require_protocol: true, require_host: true })) {
    throw new Error('must name one host; several are for redis+sentinel:// and redis+cluster://');
  }
  const { username, password } = new URL(url);
  credentialsIn(`${username}:${password}`);
  return { kind: 'single', url };
}

function sentinel(hosts: string, path: string, userinfo: string | undefined, parameters: URLSearchParams): SentinelAddress {
  refuseOthers(parameters, SENTINEL_PARAMETERS);
  const name = parameters.get('name');
  if (!name) throw new Error('must say which master the sentinels are asked for: ?name=<master>');
  if (!/^\d{0,4}$/.test(path)) throw new Error('must have the number of a database as its path, or none');
  return {
    kind: 'sentinel',
    nodes: nodesIn(hosts, DEFAULT_PORTS.sentinel),
    ...credentialsIn(userinfo),
    name,
    db: Number(path),
    tls: flagIn(parameters),
    sentinelUsername: parameters.get('sentinelUsername') ?? undefined,
    sentinelPassword: parameters.get('sentinelPassword') ?? undefined,
  };
}

function cluster(hosts: string, path: string, userinfo: string | undefined, parameters: URLSearchParams): ClusterAddress {
  refuseOthers(parameters, CLUSTER_PARAMETERS);
  if (path !== '' && path !== '0') throw new Error('must name no database: a cluster has only 0');
  return {
    kind: 'cluster',
    nodes: nodesIn(hosts, DEFAULT_PORTS.cluster),
    ...credentialsIn(userinfo),
    tls: flagIn(parameters),
  };
}

function refuseOthers(parameters: URLSearchParams, known: string[]): void {
  if ([...parameters.keys()].some((key) => !known.includes(key))) {
    throw new Error(`takes no parameters but ${known.join(', ')}`);
  }
}

function flagIn(parameters: URLSearchParams): boolean {
  const value = parameters.get('tls') ?? 'false';
  if (value !== 'true' && value !== 'false') throw new Error('takes true or false for tls');
  return value === 'true';
}

function nodesIn(hosts: string, defaultPort: number): RedisNode[] {
  return hosts.split(',').map((written) => {
    const [, host, port = defaultPort] = NODE.exec(written) ?? [];
    if (!host || Number(port) > 65_535) throw new Error('must list its hosts as host[:port],host[:port]');
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
}

function credentialsIn(userinfo: string | undefined): Credentials {
  if (!userinfo) return {};
  const [, username = '', password] = /^([^:]*)(?::(.*))?$/.exec(userinfo) ?? [];
  try {
    return {
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
    };
  } catch {
    throw new Error('must have its credentials percent-encoded');
  }
}
