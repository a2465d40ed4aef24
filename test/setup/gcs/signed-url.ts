import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';

export const SIGNER = 'platen@tests.iam.gserviceaccount.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** As Google's console gives out the key of a service account. */
export const keyFile = (): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'tests',
    private_key_id: 'tests',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: SIGNER,
  });

/** Whether the service account signed this URL, and it has not expired (V4, cloud.google.com/storage/docs/authentication). */
export function isSignedUrl(url: URL, host: string): boolean {
  const given = (name: string) => url.searchParams.get(name) ?? '';
  const [signer, ...scope] = given('X-Goog-Credential').split('/');
  const time = given('X-Goog-Date');
  const since = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (signer !== SIGNER || !(Date.now() < since + Number(given('X-Goog-Expires')) * 1_000)) return false;
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Goog-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const canonical = ['GET', url.pathname, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  return createVerify('RSA-SHA256')
    .update(['GOOG4-RSA-SHA256', time, scope.join('/'), digest].join('\n'))
    .verify(publicKey, given('X-Goog-Signature'), 'hex');
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
