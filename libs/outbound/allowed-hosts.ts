/** Ports a stranger's URL may name. Others are those of mail, databases and the like. */
const PORTS = [80, 443, 8080, 8443];
const ENTRY = /^(\[[\da-f:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/i;

/** An entry of `ALLOWED_HOSTS`: `host`, `host:port`, `10.0.0.5:9000`, `[fd00::5]`. */
export const isHostEntry = (entry: string): boolean => readEntry(entry) !== null;

/**
 * Hosts that the operator trusts by name (`ALLOWED_HOSTS`): they may have private addresses. With a port
 * only that one is meant, without all of them.
 */
export class AllowedHosts {
  private readonly entries: ReadonlySet<string>;

  constructor(
    entries: readonly string[] = [],
    private readonly ports: readonly number[] = PORTS,
  ) {
    this.entries = new Set(entries.map(readEntry).filter((entry) => entry !== null));
  }

  /** Goes by the name in the URL: another name of the same machine is not exempt. */
  has(url: URL): boolean {
    const { hostname } = url;
    return this.entries.has(hostname) || this.entries.has(`${hostname}:${portOf(url)}`);
  }

  permitsPort(url: URL): boolean {
    return this.ports.includes(portOf(url)) || this.has(url);
  }
}

export const portOf = ({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number =>
  Number(port || (protocol === 'https:' ? 443 : 80));

/** Spelled as a `URL` spells it: lower case, addresses in their one form. */
function readEntry(entry: string): string | null {
  const [, host, port] = ENTRY.exec(entry) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535 || !URL.canParse(`http://${host}/`)) return null;
  const { hostname } = new URL(`http://${host}/`);
  return port === undefined ? hostname : `${hostname}:${Number(port)}`;
}
