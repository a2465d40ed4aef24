import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SKEW_MS = 15 * 60_000;

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Code of the S3 error; null: the request is signed by these credentials and still valid. */
export type SignatureFault = 'AccessDenied' | 'InvalidAccessKeyId' | 'SignatureDoesNotMatch' | null;

interface Claim {
  credential: string[];
  signedHeaders: string[];
  signature: string;
  /** `20261121T063629Z` */
  date: string;
  payload: string;
  validMs: [before: number, after: number];
}

/** AWS Signature Version 4, in the header or in the query (docs.aws.amazon.com/AmazonS3, "Signature V4"). */
export function faultOfSignature(request: IncomingMessage, credentials: Credentials): SignatureFault {
  const url = new URL(request.url ?? '', 'http://s3');
  const claim = url.searchParams.has('X-Amz-Signature') ? claimInQuery(url) : claimInHeader(request);
  if (!claim) return 'AccessDenied';
  const age = Date.now() - timeOf(claim.date);
  if (!(age > -claim.validMs[0] && age < claim.validMs[1])) return 'AccessDenied';
  const [keyId, ...scope] = claim.credential;
  if (keyId !== credentials.accessKeyId) return 'InvalidAccessKeyId';
  const canonical = canonicalRequest(request, url, claim);
  const text = [ALGORITHM, claim.date, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  return hmac(key, text).toString('hex') === claim.signature ? null : 'SignatureDoesNotMatch';
}

function claimInHeader({ headers }: IncomingMessage): Claim | null {
  const pairs = [...(headers.authorization ?? '').matchAll(/(\w+)=([^,\s]+)/g)];
  const fields = new Map(pairs.map(([, name, value]) => [name, value]));
  const credential = fields.get('Credential')?.split('/');
  if (!credential) return null;
  return {
    credential,
    signedHeaders: fields.get('SignedHeaders')?.split(';') ?? [],
    signature: fields.get('Signature') ?? '',
    date: String(headers['x-amz-date']),
    payload: String(headers['x-amz-content-sha256']),
    validMs: [SKEW_MS, SKEW_MS],
  };
}

function claimInQuery({ searchParams }: URL): Claim {
  const given = (name: string) => searchParams.get(name) ?? '';
  return {
    credential: given('X-Amz-Credential').split('/'),
    signedHeaders: given('X-Amz-SignedHeaders').split(';'),
    signature: given('X-Amz-Signature'),
    date: given('X-Amz-Date'),
    payload: 'UNSIGNED-PAYLOAD',
    validMs: [SKEW_MS, Number(given('X-Amz-Expires')) * 1_000],
  };
}

function canonicalRequest({ method, headers }: IncomingMessage, url: URL, claim: Claim): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort();
  const signed = claim.signedHeaders.map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const names = claim.signedHeaders.join(';');
  return [method, url.pathname, query.join('&'), signed.join(''), names, claim.payload].join('\n');
}

const timeOf = (date: string): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
