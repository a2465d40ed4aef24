import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK, exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, SignJWT, UnsecuredJWT, type CryptoKey,
  type JWK,
} from 'jose';
import { eventually } from '../../test/setup/eventually.js';
import { createAccessTokens, type AccessTokens } from './access-tokens.js';

const SECRET = 'a secret of this installation, long enough';
const USER = '019aa000-0000-7000-8000-00000000000a';
const seconds = () => Math.floor(Date.now() / 1000);
const REFUSED = { code: 'UNAUTHENTICATED', message: 'Invalid or expired token' };

interface Signing {
  key?: CryptoKey | string;
  header?: { alg?: string; kid?: string; [name: string]: unknown };
  /** Over those of a good token; `undefined` takes one away. */
  claims?: Record<string, unknown>;
}

function sign({ key = SECRET, header = {}, claims = {} }: Signing = {}): Promise<string> {
  return new SignJWT({ sub: USER, exp: seconds() + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key);
}

describe('tokens by JWT_SECRET', () => {
  const tokens = createAccessTokens({ JWT_SECRET: SECRET });

  it.each([
    ['names a user', {}, { userId: USER, role: 'user' }],
    ['names an admin', { role: 'admin' }, { userId: USER, role: 'admin' }],
    ['writes the user in capitals', { sub: USER.toUpperCase() }, { userId: USER, role: 'user' }],
    ['comes from a clock that is a little ahead', { iat: seconds() + 3 }, { userId: USER, role: 'user' }],
    ['ended a moment ago by a clock that is behind', { exp: seconds() - 2 }, { userId: USER, role: 'user' }],
  ])('take one that %s', async (_what, claims, caller) => {
    expect(await tokens.verify(await sign({ claims }))).toEqual(caller);
    expect(await tokens.verify(await seal({ claims }))).toEqual(caller);
  });

  it('refuse one that was right before, once it has expired', async () => {
    const token = await sign({ claims: { exp: seconds() - 4 } });
    expect(await tokens.verify(token)).toMatchObject({ userId: USER });
    await eventually(() => expect(tokens.verify(token)).rejects.toMatchObject(REFUSED));
  });

  it.each([
    ['has expired', { exp: seconds() - 60 }],
    ['never expires', { exp: undefined }],
    ['has an expiry that is no number', { exp: 'never' }],
    ['is not valid yet', { nbf: seconds() + 60 }],
    ['was issued in the future', { iat: seconds() + 60 }],
    ['names nobody', { sub: undefined }],
    ['names a user that is no UUID', { sub: 'root' }],
    ['has an unknown role', { role: 'owner' }],
    ['has no role but null', { role: null }],
    ['has several roles', { role: ['admin'] }],
  ])('refuse one that %s', async (_what, claims) => {
    await expect(tokens.verify(await seal({ claims }))).rejects.toMatchObject(REFUSED);
  });

  it.each([
    ['no signature', () => Promise.resolve(new UnsecuredJWT({ sub: USER, exp: seconds() + 60 }).encode())],
    ['a signature with another secret', () => sign({ key: `${SECRET}!` })],
    ['another algorithm with our secret', () => sign({ header: { alg: 'HS512' } })],
    ['a header that must be understood', () => seal({ header: { crit: ['b'], b: 1 } })],
    ['a claim that was changed afterwards', async () => {
      const [header, , signature] = (await sign()).split('.');
      return `${header}.${encode({ sub: USER, role: 'admin', exp: seconds() + 60 })}.${signature}`;
    }],
    ['no parts at all', () => Promise.resolve('nonsense')],
  ])('refuse one with %s', async (_what, make) => {
    await expect(tokens.verify(await make())).rejects.toMatchObject(REFUSED);
  });
});

describe('tokens by JWT_JWKS_URL', () => {
  const ISSUER = 'https://login.example';
  let provider: Server;
  let rsa: CryptoKey;
  let elliptic: CryptoKey;
  let rsaPublic: string;
  let url: string;
  let tokens: AccessTokens;
  /** What the provider answers. */
  let answer: { status: number; body: unknown };

  beforeAll(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const ellipticPair = await generateKeyPair('ES256');
    [rsa, elliptic] = [pair.privateKey, ellipticPair.privateKey];
    rsaPublic = await exportSPKI(pair.publicKey);
    const keys: JWK[] = [
      { ...(await exportJWK(pair.publicKey)), kid: 'rsa' },
      { ...(await exportJWK(ellipticPair.publicKey)), kid: 'elliptic' },
    ];
    answer = { status: 200, body: { keys } };
    provider = createServer((_request, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
    await once(provider.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`;
    tokens = createAccessTokens({ JWT_JWKS_URL: url, JWT_SECRET: SECRET });
  });
  afterAll(() => {
    provider.close();
    provider.closeAllConnections();
  });

  const signed = (claims: Record<string, unknown> = {}, kid = 'rsa') =>
    sign({ key: rsa, header: { alg: 'RS256', kid }, claims });

  it('take RS256 and ES256', async () => {
    expect(await tokens.verify(await signed({ role: 'admin' }))).toEqual({ userId: USER, role: 'admin' });
    const token = await sign({ key: elliptic, header: { alg: 'ES256', kid: 'elliptic' } });
    expect(await tokens.verify(token)).toEqual({ userId: USER, role: 'user' });
  });

  it.each([
    ['of a key that the provider does not have', () => signed({}, 'unknown')],
    ['of a key under the name of another', () => signed({}, 'elliptic')],
    ['with JWT_SECRET, which is not used then', () => sign()],
    ['with the public key for a secret', () => sign({ key: rsaPublic, header: { kid: 'rsa' } })],
    ['with nothing', () => Promise.resolve(new UnsecuredJWT({ sub: USER, exp: seconds() + 60 }).encode())],
    ['by another RSA algorithm', async () => {
      const key = await importPKCS8(await exportPKCS8(rsa), 'PS256');
      return sign({ key, header: { alg: 'PS256', kid: 'rsa' } });
    }],
    ['that has expired', () => signed({ exp: seconds() - 60 })],
    ['that never expires', () => signed({ exp: undefined })],
    ['from the future', () => signed({ iat: seconds() + 60 })],
    ['of a user that is no UUID', () => signed({ sub: 'auth0|1' })],
    ['of an unknown role', () => signed({ role: 'owner' })],
  ])('refuse one signed %s', async (_what, make) => {
    await expect(tokens.verify(await make())).rejects.toMatchObject(REFUSED);
  });

  it('must be of JWT_ISSUER and for JWT_AUDIENCE where these are set', async () => {
    const strict = createAccessTokens({ JWT_JWKS_URL: url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'platen' });
    const caller = { userId: USER, role: 'user' };
    expect(await strict.verify(await signed({ iss: ISSUER, aud: 'platen' }))).toEqual(caller);
    expect(await strict.verify(await signed({ iss: ISSUER, aud: ['other', 'platen'] }))).toEqual(caller);
    for (const claims of [{}, { iss: ISSUER }, { aud: 'platen' }, { iss: ISSUER, aud: 'other' },
      { iss: `${ISSUER}.evil`, aud: 'platen' }]) {
      await expect(strict.verify(await signed(claims))).rejects.toMatchObject(REFUSED);
    }
  });

  it.each([
    ['fails', { status: 500, body: {} }],
    ['answers something else', { status: 200, body: { nothing: true } }],
  ])('are not blamed when the provider %s, and are taken once it is well', async (_what, bad) => {
    const good = answer;
    const fresh = createAccessTokens({ JWT_JWKS_URL: url });
    answer = bad;
    try {
      await expect(fresh.verify(await signed())).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' });
    } finally {
      answer = good;
    }
    expect(await fresh.verify(await signed())).toMatchObject({ userId: USER });
  });

  it('are not blamed when the provider cannot be reached', async () => {
    const nowhere = createAccessTokens({ JWT_JWKS_URL: 'http://127.0.0.1:1/jwks' });
    await expect(nowhere.verify(await signed())).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' });
  });
});

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Signs with `SECRET` whatever is given, also what a library refuses to sign. */
async function seal({ header = {}, claims = {} }: Pick<Signing, 'header' | 'claims'>): Promise<string> {
  const payload = { sub: USER, exp: seconds() + 60, ...claims };
  const text = `${encode({ alg: 'HS256', ...header })}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}
