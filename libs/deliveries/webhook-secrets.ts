import { randomBytes } from 'node:crypto';
import type { Environment } from '#libs/config/environment.js';
import type { Database, Queryable } from '#libs/database/database.js';
import { masterKeysOf } from '#libs/encryption/index.js';
import { Seal } from '#libs/encryption/seal.js';

const SECRET_BYTES = 32;
/** For how long a secret that was replaced signs along. */
const OVERLAP_HOURS = 24;
/** Signatures of one message at most. */
const MAX_SIGNING = 5;
const RENEWED_AT_ONCE = 500;

/** An account's secret, as its owner reads it. */
export interface WebhookSecretView {
  /** `whsec_` and base64: what libraries of Standard Webhooks take. */
  secret: string;
  created_at: Date;
  /** Until when the one before signs along, too. */
  previous_expires_at: Date | null;
}

interface SecretRow {
  sealed: Buffer;
  created_at: Date;
  previous_expires_at: Date | null;
}

interface SealedRow {
  id: string;
  user_id: string;
  sealed: Buffer;
}

/** What an account's webhooks are signed with, sealed at rest. */
export class WebhookSecrets {
  private readonly seal: Seal;

  constructor(
    private readonly database: Database,
    masterKeys: string | readonly string[],
  ) {
    this.seal = new Seal(masterKeys, 'webhook secrets');
  }

  /** The account's own, which is made when it is first asked for. */
  async current(userId: string): Promise<WebhookSecretView> {
    return (await this.find(this.database, userId)) ?? (await this.make(this.database, userId));
  }

  /** Makes another one. That before signs along for 24 hours. Of two calls at once one counts. */
  rotate(userId: string): Promise<WebhookSecretView> {
    return this.database.transaction(async (tx) => {
      await tx.query(RETIRE, [userId, OVERLAP_HOURS]);
      return this.make(tx, userId);
    });
  }

  /** All that sign now, the newest first. */
  async signing(userId: string): Promise<string[]> {
    const rows = await this.database.query<Pick<SecretRow, 'sealed'>>(SIGNING, [userId, MAX_SIGNING]);
    if (rows.length === 0) return [(await this.current(userId)).secret];
    return rows.map(({ sealed }) => this.seal.open(sealed, userId));
  }

  /** Seals under the newest master key what lies under an older one. Returns how many. */
  async renew(): Promise<number> {
    let renewed = 0;
    for (let after = '0', page: SealedRow[] = []; ; after = (page.at(-1) as SealedRow).id) {
      page = await this.database.query<SealedRow>(ALL, [after, RENEWED_AT_ONCE]);
      if (page.length === 0) return renewed;
      for (const { id, user_id, sealed } of page) {
        const anew = this.seal.renewed(sealed, user_id);
        if (!anew) continue;
        await this.database.query('update webhook_secret set sealed = $2 where id = $1', [id, anew]);
        renewed += 1;
      }
    }
  }

  private async make(db: Queryable, userId: string): Promise<WebhookSecretView> {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    await db.query(
      'insert into webhook_secret (user_id, sealed) values ($1, $2) on conflict do nothing',
      [userId, this.seal.close(secret, userId)],
    );
    // Another call may have been first.
    return (await this.find(db, userId)) as WebhookSecretView;
  }

  private async find(db: Queryable, userId: string): Promise<WebhookSecretView | null> {
    const [row] = await db.query<SecretRow>(CURRENT, [userId]);
    if (!row) return null;
    const { sealed, ...times } = row;
    return { secret: this.seal.open(sealed, userId), ...times };
  }
}

/** The secrets of this installation. */
export const createWebhookSecrets = (
  database: Database,
  environment: Pick<Environment, 'PLATEN_MASTER_KEY' | 'PLATEN_OLD_MASTER_KEYS'>,
): WebhookSecrets => new WebhookSecrets(database, masterKeysOf(environment));

const ALL = 'select id, user_id, sealed from webhook_secret where id > $1 order by id limit $2';

const CURRENT = `
  select sealed, created_at,
         (select max(expires_at) from webhook_secret
           where user_id = $1 and expires_at > now()) as previous_expires_at
    from webhook_secret where user_id = $1 and expires_at is null`;

const RETIRE = `
  with expired as (
    delete from webhook_secret where user_id = $1 and expires_at < now()
  )
  update webhook_secret set expires_at = now() + make_interval(hours => $2)
   where user_id = $1 and expires_at is null`;

const SIGNING = `
  select sealed from webhook_secret
   where user_id = $1 and (expires_at is null or expires_at > now()) order by id desc limit $2`;
