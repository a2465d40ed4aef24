import type { Database } from '#libs/database/database.js';
import type { StepInbox } from '#libs/engine/generation-store.js';
import { isSealed } from '#libs/encryption/collection-seal.js';
import type { Seal } from '#libs/encryption/seal.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { WakeQueue } from '#libs/queue/wake-queue.js';
import { AWAITED, awaitedBy, wakeStep } from './step-wake.js';

/** How long a delivery is kept: longer than any step waits. */
const KEPT_DAYS = 7;
/** Rows deleted per sweep. */
const BATCH = 1_000;

export interface Delivery {
  /** Who brings it. */
  provider: string;
  /** What its sender calls it: the same again is not taken again. */
  id: string;
  /** The attempt it is for. */
  token: string;
  body: Json;
}

/** What webhooks bring to steps that wait. A row is the delivery; the wake-up only says that there is one. */
export class WebhookInbox implements StepInbox {
  constructor(
    private readonly database: Database,
    private readonly queue: WakeQueue,
    private readonly seal: Seal,
  ) {}

  /** Keeps a delivery and wakes its step. False, and nothing is kept: no step waits for it, or it came before. */
  deliver({ provider, id, token, body }: Delivery): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const kept = await tx.query(KEEP, [...awaitedBy(token), provider, id, this.sealed(body, token)]);
      // What comes again wakes nobody: its sender could keep a worker busy with it.
      if (kept.length === 0) return false;
      if (await wakeStep(tx, this.queue, token)) return true;
      await tx.query('delete from webhook_inbox where provider = $1 and id = $2', [provider, id]);
      return false;
    });
  }

  async delivery(token: string): Promise<Json | null> {
    const [row] = await this.database.query<{ body: Json }>(
      'select body from webhook_inbox where step_token = $1 order by received_at desc limit 1', [token],
    );
    return row ? this.opened(row.body, token) : null;
  }

  async wake(token: string): Promise<void> {
    await this.database.transaction((tx) => wakeStep(tx, this.queue, token));
  }

  /** Whoever's it is: a step's row would have to be asked whether its collection is encrypted. */
  private sealed(body: Json, token: string): string {
    return JSON.stringify({ $enc: this.seal.close(JSON.stringify(body), token).toString('base64') });
  }

  private opened(stored: Json, token: string): Json {
    if (!isSealed(stored)) return stored;
    return JSON.parse(this.seal.open(Buffer.from(stored.$enc, 'base64'), token)) as Json;
  }

  /** Returns how many were old enough to go. */
  async sweep(): Promise<number> {
    const gone = await this.database.query(
      `delete from webhook_inbox where (provider, id) in (
         select provider, id from webhook_inbox where received_at < now() - make_interval(days => ${KEPT_DAYS})
          order by received_at limit ${BATCH}) returning 1`,
    );
    return gone.length;
  }
}

const KEEP = `
  insert into webhook_inbox (provider, id, step_token, body)
  select $3::text, $4::text, $1::uuid, $5::jsonb where exists (${AWAITED})
  on conflict do nothing returning id`;
