import { createHash, randomBytes } from 'node:crypto';
import type { Queryable } from '#libs/database/database.js';
import { unauthenticated } from '#libs/errors/errors.js';

/** Seconds within which a token must be used for the first time. */
export const FIRST_USE_SECONDS = 60;
/** Seconds for which it then opens its job's stream, so that a browser can reconnect. */
export const VALID_SECONDS = 3_600;

export interface StreamAccess {
  userId: string;
  /** Milliseconds for which the token stays good. */
  validForMs: number;
}

/**
 * Tokens in the address of an event stream, for browsers, whose EventSource sends no headers. Addresses end
 * up in logs: so a token opens one job's stream only, is dead unless used at once, and expires.
 */
export class StreamTokens {
  constructor(private readonly database: Queryable) {}

  /** A new token for one of the user's jobs. */
  async issue(userId: string, jobId: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await this.database.query(
      `with expired as (
         delete from stream_token where user_id = $2 and created_at < now() - make_interval(secs => $4)
       )
       insert into stream_token (digest, user_id, job_id) values ($1, $2, $3)`,
      [digestOf(token), userId, jobId, FIRST_USE_SECONDS + VALID_SECONDS],
    );
    return token;
  }

  /** Whose stream of this job the token opens. Its first use starts its hour. Throws `UNAUTHENTICATED`. */
  async redeem(token: string, jobId: string): Promise<StreamAccess> {
    const [row] = await this.database.query<{ user_id: string; valid_for: number }>(
      `update stream_token set used_at = coalesce(used_at, now())
        where digest = $1 and job_id = $2
          and case when used_at is null then created_at > now() - make_interval(secs => $3)
                   else used_at > now() - make_interval(secs => $4) end
       returning user_id,
                 extract(epoch from used_at - now() + make_interval(secs => $4))::float8 * 1000 as valid_for`,
      [digestOf(token), jobId, FIRST_USE_SECONDS, VALID_SECONDS],
    );
    if (!row) throw unauthenticated('This stream token has expired or is not for this job');
    return { userId: row.user_id, validForMs: row.valid_for };
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
