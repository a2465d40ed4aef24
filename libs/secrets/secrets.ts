import { NIL } from 'uuid';
import type { Environment } from '#libs/config/environment.js';
import type { Queryable } from '#libs/database/database.js';
import { fieldError, notFound } from '#libs/errors/errors.js';
import { masterKeysOf } from '#libs/encryption/index.js';
import { Seal } from '#libs/encryption/seal.js';

/** What `{{NAME}}` in a header may name. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
/** Of one user. */
const MAX_SECRETS = 100;
const RENEWED_AT_ONCE = 500;

/** All that is ever told of one. */
export interface SecretView {
  name: string;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'name, created_at, updated_at';

/**
 * Workflow authors' secrets: keys of the services that their workflows call. Sealed at rest; only a step of a
 * workflow that its owner wrote reads them.
 */
export class Secrets {
  private readonly seal: Seal;

  constructor(
    private readonly database: Queryable,
    masterKeys: string | readonly string[],
  ) {
    this.seal = new Seal(masterKeys, 'secrets');
  }

  /** Stores or replaces one. */
  async put(userId: string, name: string, value: string): Promise<SecretView> {
    const [row] = await this.database.query<SecretView>(PUT, [
      userId, name, this.seal.close(value, ownerOf(userId, name)), MAX_SECRETS,
    ]);
    if (!row) throw fieldError('name', `is one more than the ${MAX_SECRETS} secrets that a user may have`);
    return row;
  }

  /** Throws `NOT_FOUND`. */
  async remove(userId: string, name: string): Promise<void> {
    const removed = await this.database.query(
      'delete from secret where user_id = $1 and name = $2 returning 1', [userId, name],
    );
    if (removed.length === 0) throw notFound('Secret');
  }

  /** By name; one more than `limit` when there are more. */
  list(userId: string, { limit, after }: { limit: number; after: string | null }): Promise<SecretView[]> {
    return this.database.query(
      `select ${COLUMNS} from secret where user_id = $1 and ($2::text is null or name > $2 collate "C")
        order by name collate "C" limit $3`,
      [userId, after, limit + 1],
    );
  }

  /** For a step that runs; null: its author has none of that name. */
  async reveal(userId: string, name: string): Promise<string | null> {
    const [row] = await this.database.query<{ sealed: Buffer }>(
      'select sealed from secret where user_id = $1 and name = $2', [userId, name],
    );
    return row ? this.seal.open(row.sealed, ownerOf(userId, name)) : null;
  }

  /** Seals under the newest master key what lies under an older one. Returns how many. */
  async renew(): Promise<number> {
    let renewed = 0;
    for (let after: SealedRow | undefined, page: SealedRow[] = []; ; after = page.at(-1)) {
      page = await this.database.query<SealedRow>(ALL, [after?.user_id ?? NIL, after?.name ?? '', RENEWED_AT_ONCE]);
      if (page.length === 0) return renewed;
      for (const { user_id, name, sealed } of page) {
        const anew = this.seal.renewed(sealed, ownerOf(user_id, name));
        if (!anew) continue;
        await this.database.query(RENEW, [user_id, name, anew, sealed]);
        renewed += 1;
      }
    }
  }
}

interface SealedRow {
  user_id: string;
  name: string;
  sealed: Buffer;
}

/** The secrets of this installation. */
export const createSecrets = (
  database: Queryable,
  environment: Pick<Environment, 'PLATEN_MASTER_KEY' | 'PLATEN_OLD_MASTER_KEYS'>,
): Secrets => new Secrets(database, masterKeysOf(environment));

const ownerOf = (userId: string, name: string): string => `${userId}/${name}`;

const PUT = `
  insert into secret (user_id, name, sealed)
  select $1, $2, $3
   where (select count(*) from secret where user_id = $1 and name <> $2) < $4
  on conflict (user_id, name) do update set sealed = excluded.sealed, updated_at = now()
  returning ${COLUMNS}`;

const ALL = `
  select user_id, name, sealed from secret
   where (user_id, name collate "C") > ($1, $2) order by user_id, name collate "C" limit $3`;

/** One that was set anew meanwhile stays. */
const RENEW = 'update secret set sealed = $3 where user_id = $1 and name = $2 and sealed = $4';
