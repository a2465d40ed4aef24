import { isIP } from 'node:net';
import type { AllowedHosts } from './allowed-hosts.js';
import { OutboundError } from './outbound-error.js';
import { isPublicAddress } from './public-address.js';

/** Of a URL, encoded. */
export const MAX_URL_LENGTH = 2_048;

/**
 * A URL that may be asked, as far as it tells by itself: http(s), without name and password, a usual port,
 * and no address that is not public, in whatever spelling (`0x7f.1`, `127。0。0。1`: `URL` reads them all).
 * What a name resolves to is judged when it is connected to. Throws OutboundError.
 */
export function vettedUrl(text: string, allowed: AllowedHosts): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.href.length > MAX_URL_LENGTH || !['http:', 'https:'].includes(url.protocol)) {
    throw new OutboundError('url', 'It is not an http(s) URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new OutboundError('url', 'A URL must not hold a name or a password');
  }
  if (!allowed.permitsPort(url)) throw new OutboundError('url', `The port ${url.port} is not allowed`);
  const address = addressIn(url);
  if (address !== null && !isPublicAddress(address) && !allowed.has(url)) throw notPublic();
  url.hash = '';
  return url;
}

/** The IP address that stands in a URL in place of a name; null for a name. */
export function addressIn({ hostname }: Pick<URL, 'hostname'>): string | null {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? null : address;
}

/** One sentence for a name that does not exist and one that is not public: it tells no names of a network. */
export const notPublic = () => new OutboundError('address', 'The host of the URL has no public address');
