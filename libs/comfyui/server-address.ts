/** One server of `COMFYUI_URLS`. */
export interface ServerAddress {
  /** Host, port and path, without anything secret: what rows call the server. */
  name: string;
  /** Host and port: what users see of it. A proxy's path may be a key. */
  host: string;
  origin: string;
  /** Path that a proxy puts before the server's own; without a slash at its end. */
  path: string;
  /** Sent with each request. */
  headers: Record<string, string>;
}

/** `http(s)://[credentials@]host[:port][/path]`. */
export function isServerUrl(text: unknown): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, search, hash } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && search === '' && hash === '';
}

/**
 * Credentials become a header by their user name: `bearer:TOKEN@` a Bearer token, `x-api-key:KEY@` that header,
 * any other user and password Basic authentication.
 */
export function serverAddress(text: string): ServerAddress {
  const { origin, host, pathname, username, password } = new URL(text);
  const path = pathname.replace(/\/+$/, '');
  return {
    name: host + path,
    host,
    origin,
    path,
    headers: keyHeaders(decodeURIComponent(username), decodeURIComponent(password)),
  };
}

function keyHeaders(user: string, secret: string): Record<string, string> {
  if (user === '' && secret === '') return {};
  if (user.toLowerCase() === 'bearer') return { authorization: `Bearer ${secret}` };
  if (user.toLowerCase() === 'x-api-key') return { 'x-api-key': secret };
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}
