import { readBalance } from '#libs/credits/account-view.js';
import { Database } from '#libs/database/database.js';
import { issueToken } from './commands/token.js';
import type { Connected } from './installation.js';
import { withDataSource } from './schema.js';

/** Whom a newcomer is in the studio: always the same user, so that what was made is there again the next day. */
const NEWCOMER = '00000000-0000-4000-8000-000000000001';
/** What the newcomer has to spend, at least, whenever Platen starts. */
const CREDITS = 100;

/**
 * The studio's address for whoever has started Platen: with a token for a development user who has credits, so that
 * nothing needs to be typed. Without one in production and where tokens are an identity provider's.
 */
export async function studioAddress(url: string, environment: Connected): Promise<string> {
  const { JWT_JWKS_URL, NODE_ENV, DATABASE_URL } = environment;
  if (JWT_JWKS_URL || NODE_ENV === 'production') return `${url}/studio`;
  const { available } = await withDataSource(DATABASE_URL, (source) => readBalance(new Database(source), NEWCOMER));
  const credits = available < CREDITS ? { credits: CREDITS - available } : {};
  const token = await issueToken(environment, { sub: NEWCOMER, role: 'user', ...credits });
  return `${url}/studio#token=${token}`;
}
