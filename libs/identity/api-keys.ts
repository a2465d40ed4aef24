import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Database, Queryable } from '#libs/database/database.js';
import { notFound, unauthenticated } from '#libs/errors/errors.js';
import type { Caller, Role } from './caller.js';

/** What every API key begins with, so that it can be told from a token and found in leaked text. */
export const API_KEY_PREFIX = 'plt_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 43;
/** Characters of a key that are kept readable, to recognize it by. */
const SHOWN = 12;

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  role: Role;
  created_at: Date;
  last_used_at: Date | null;
}

export interface ApiKeyPage {
  limit: number;
  /** Sort key (time of creation as text, id) of the last key of the page before. */
  after: string[] | null;
}

const COLUMNS = 'id, name, prefix, role, created_at, last_used_at';

/** Keys for servers. Only a digest is stored: a key can be shown once, when it is made. */
export class ApiKeys {
  constructor(private readonly database: Database) {}

  async create(tx: Queryable, owner: Caller, name: string, role: Role): Promise<ApiKey & { key: string }> {
    const key = API_KEY_PREFIX + randomText();
    const [row] = await tx.query<ApiKey>(
      `insert into api_key (id, user_id, name, prefix, digest, role) values ($1, $2, $3, $4, $5, $6)
       returning ${COLUMNS}`,
      [uuid(), owner.userId, name, key.slice(0, SHOWN), digestOf(key), role],
    );
    return { ...(row as ApiKey), key };
  }

  /** The user's keys that work, newest first; one more than `limit` when there are more. */
  async list(userId: string, { limit, after }: ApiKeyPage): Promise<Array<ApiKey & { position: string }>> {
    return this.database.query(
      `select ${COLUMNS}, created_at::text as position from api_key
       where user_id = $1 and revoked_at is null
         and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
       order by created_at desc, id desc limit $4`,
      [userId, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    );
  }

  /** Ends a key at once. 404 when the user has no such key that works. */
  async revoke(userId: string, id: string): Promise<void> {
    const revoked = await this.database.query(
      'update api_key set revoked_at = now() where id = $1 and user_id = $2 and revoked_at is null returning 1',
      [id, userId],
    );
    if (revoked.length === 0) throw notFound('API key');
  }

  /** Whose key this is. Its use is noted once a minute at most. */
  async verify(key: string): Promise<Caller> {
    const [row] = await this.database.query<{ id: string; user_id: string; role: Role; idle: boolean }>(
      `select id, user_id, role, coalesce(last_used_at < now() - interval '1 minute', true) as idle
       from api_key where digest = $1 and revoked_at is null`,
      [digestOf(key)],
    );
    if (!row) throw unauthenticated('Invalid or revoked API key');
    if (row.idle) await this.noteUse(row.id);
    return { userId: row.user_id, role: row.role };
  }

  private async noteUse(id: string): Promise<void> {
    await this.database.query(
      `update api_key set last_used_at = now()
       where id = $1 and coalesce(last_used_at < now() - interval '1 minute', true)`,
      [id],
    );
  }
}

/** An API key has 256 random bits: a plain digest cannot be guessed back, and finds the row by its index. */
const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** 32 random bytes in base 62. */
function randomText(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let text = '';
  while (text.length < SECRET_LENGTH) {
    text += DIGITS[Number(rest % 62n)];
    rest /= 62n;
  }
  return text;
}
