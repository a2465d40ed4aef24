import { JwtService } from '@nestjs/jwt';
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { validate } from 'uuid';
import type { Environment } from '#libs/config/environment.js';
import { unauthenticated, upstreamError } from '#libs/errors/errors.js';
import { ROLES, type Caller, type Role } from './caller.js';

/** Clocks may differ by this much. */
const TOLERANCE_SECONDS = 5;
const JWKS_TIMEOUT_MS = 5_000;
const REMEMBERED_TOKENS = 10_000;

export interface TokenRequest {
  sub: string;
  role?: Role;
  /** Seconds; default a day. */
  expiresIn?: number;
}

/** Reads the access tokens of this installation. `sub` is the user, `role` is `user` unless it says `admin`. */
export abstract class AccessTokens {
  /** Throws `UNAUTHENTICATED` for whatever is not a valid token of ours. */
  abstract verify(token: string): Promise<Caller>;
}

/** Tokens by `JWT_JWKS_URL` where that is set, else by `JWT_SECRET`. */
export function createAccessTokens(
  environment: Pick<Environment, 'JWT_SECRET' | 'JWT_JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE'>,
): AccessTokens {
  const { JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = environment;
  if (JWT_JWKS_URL) return new JwksTokens(JWT_JWKS_URL, { issuer, audience });
  if (JWT_SECRET) return new SecretTokens(JWT_SECRET);
  throw new Error('JWT_SECRET or JWT_JWKS_URL must be set');
}

/** HS256 tokens, which this installation can also issue. */
export class SecretTokens extends AccessTokens {
  private readonly jwt: JwtService;
  /** Tokens that were found right, until they expire. */
  private readonly known = new LRUCache<string, Caller>({ max: REMEMBERED_TOKENS });

  constructor(secret: string) {
    super();
    this.jwt = new JwtService({ secret, signOptions: { algorithm: 'HS256' } });
  }

  async verify(token: string): Promise<Caller> {
    const known = this.known.get(token);
    if (known) return known;
    const options = { algorithms: ['HS256' as const], clockTolerance: TOLERANCE_SECONDS };
    const claims = await this.jwt.verifyAsync<Record<string, unknown>>(token, options).catch(() => {
      throw invalidToken();
    });
    // The library passes over `crit`, which says that a token must not be read by who does not know it.
    if ('crit' in this.jwt.decode<{ header: object }>(token, { complete: true }).header) throw invalidToken();
    const caller = callerOf(claims);
    const ttl = (Number(claims['exp']) + TOLERANCE_SECONDS) * 1000 - Date.now();
    if (ttl > 0) this.known.set(token, caller, { ttl: Math.ceil(ttl) });
    return caller;
  }

  /** A token for a user, for the command line and for tests. */
  issue({ sub, role = 'user', expiresIn = 86_400 }: TokenRequest): string {
    return this.jwt.sign({ sub, role }, { expiresIn });
  }
}

/** RS256 or ES256 tokens of an identity provider; its keys are fetched once and again when one is unknown. */
export class JwksTokens extends AccessTokens {
  private readonly keys: JWTVerifyGetKey;

  constructor(
    url: string,
    private readonly claims: { issuer?: string; audience?: string } = {},
  ) {
    super();
    this.keys = createRemoteJWKSet(new URL(url), { timeoutDuration: JWKS_TIMEOUT_MS });
  }

  async verify(token: string): Promise<Caller> {
    const options = {
      ...this.claims, algorithms: ['RS256', 'ES256'], clockTolerance: TOLERANCE_SECONDS, requiredClaims: ['exp'],
    };
    const { payload } = await jwtVerify(token, this.keys, options).catch((error: unknown) => {
      throw isTokensFault(error) ? invalidToken() : upstreamError('The identity provider cannot be reached');
    });
    return callerOf(payload);
  }
}

/** A token for a user of this installation, for the command line. */
export const issueToken = (secret: string, request: TokenRequest): string => new SecretTokens(secret).issue(request);

/** Codes that speak of the provider's answer instead of the token. */
const PROVIDER_FAULTS = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

const isTokensFault = (error: unknown) =>
  error instanceof errors.JOSEError && !PROVIDER_FAULTS.includes(error.code);

function callerOf({ sub, role = 'user', exp, iat }: Record<string, unknown>): Caller {
  const now = Date.now() / 1000 + TOLERANCE_SECONDS;
  const dated = typeof exp === 'number' && (iat === undefined || (typeof iat === 'number' && iat <= now));
  if (!dated || typeof sub !== 'string' || !validate(sub) || !isRole(role)) throw invalidToken();
  return { userId: sub.toLowerCase(), role };
}

const isRole = (role: unknown): role is Role => ROLES.includes(role as Role);

const invalidToken = () => unauthenticated('Invalid or expired token');
