import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The account that every emulator has; its key is public (learn.microsoft.com, "Use Azurite"). */
export const ACCOUNT = 'devstoreaccount1';
export const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const SKEW_MS = 15 * 60_000;
const SIGNED_HEADERS = [
  'content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date',
  'if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range',
];
/** Of a signature for one blob, in their order: from the permission to the headers of the answer. */
const SAS_FIELDS = ['si', 'sip', 'spr', 'sv', 'sr', '', 'ses', 'rscc', 'rscd', 'rsce', 'rscl', 'rsct'];

/** Code of the error; null: the request comes from who has the account's key, and is still valid. */
export function faultOfAccess(request: IncomingMessage): 'AuthenticationFailed' | 'AuthorizationFailure' | null {
  const url = new URL(request.url ?? '', 'http://azure');
  const genuine = url.searchParams.has('sig') ? isSignedUrl(url) : isSigned(request, url);
  if (!genuine) return 'AuthenticationFailed';
  return url.searchParams.has('sig') && request.method !== 'GET' ? 'AuthorizationFailure' : null;
}

/** learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
function isSigned({ method, headers }: IncomingMessage, url: URL): boolean {
  if (!(Math.abs(Date.now() - Date.parse(String(headers['x-ms-date']))) < SKEW_MS)) return false;
  const values = SIGNED_HEADERS.map((name) => (headers[name] === '0' ? '' : (headers[name] ?? '')));
  const own = Object.keys(headers).filter((name) => name.startsWith('x-ms-')).sort();
  const query = [...url.searchParams].map(([name, value]) => `\n${name.toLowerCase()}:${value}`).sort();
  const text = [
    method, ...values, ...own.map((name) => `${name}:${headers[name]}`), `/${ACCOUNT}${url.pathname}${query.join('')}`,
  ].join('\n');
  return headers.authorization === `SharedKey ${ACCOUNT}:${signatureOf(text)}`;
}

/** learn.microsoft.com/rest/api/storageservices/create-service-sas */
function isSignedUrl({ pathname, searchParams }: URL): boolean {
  const given = (name: string) => searchParams.get(name) ?? '';
  const fields = SAS_FIELDS.map(given);
  const text = [given('sp'), given('st'), given('se'), `/blob${decodeURIComponent(pathname)}`, ...fields].join('\n');
  return given('sp').includes('r') && Date.parse(given('se')) > Date.now() && given('sig') === signatureOf(text);
}

const signatureOf = (text: string): string =>
  createHmac('sha256', Buffer.from(KEY, 'base64')).update(text).digest('base64');
