/** Written by the client itself. */
const OWN_HEADERS = new Set([
  'host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect', 'upgrade', 'te',
  'trailer', 'proxy-authorization', 'accept-encoding',
]);
/** All that another origin than the one they were meant for gets to see. */
const HARMLESS_HEADERS = new Set(['accept', 'accept-language', 'user-agent']);

/** A caller's headers, without those that are the client's to write. */
export function requestHeaders(given: Record<string, string> = {}): Record<string, string> {
  const named = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { 'user-agent': 'Platen', ...Object.fromEntries(named.filter(([name]) => !OWN_HEADERS.has(name))) };
}

/** What is left of them on the way to another origin: no credentials, under whatever name. */
export const harmlessHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS_HEADERS.has(name)));
