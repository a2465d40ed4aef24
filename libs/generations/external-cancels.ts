import type { Database } from '#libs/database/database.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';

const CALL_TIMEOUT_MS = 10_000;
/** Calls per sweep. */
const BATCH = 20;

/**
 * Stops work outside whose step was cancelled while it waited. The row stays locked while its node is
 * asked, so each is asked by one worker at a time; what fails is asked again for an hour.
 */
export class ExternalCancels {
  constructor(
    private readonly database: Database,
    private readonly registry: NodeRegistry,
  ) {}

  /** Returns how many were stopped. One that fails does not keep the others waiting. */
  async sweep(): Promise<number> {
    const failed: string[] = [];
    let stopped = 0;
    for (let calls = 0; calls < BATCH; calls++) {
      const outcome = await this.cancelNext(failed);
      if (outcome === 'none') break;
      if (outcome === 'stopped') stopped += 1;
      else failed.push(outcome.failed);
    }
    return stopped;
  }

  private cancelNext(skip: string[]): Promise<'none' | 'stopped' | { failed: string }> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<{ id: string; node: string; reference: Json }>(
        `select id, node, reference from step_run
          where external_cancel_due and completed_at > now() - interval '1 hour' and id <> all($1)
          order by completed_at limit 1 for update skip locked`,
        [skip],
      );
      if (!row) return 'none';
      try {
        await this.registry.find(row.node)?.cancel?.(row.reference, AbortSignal.timeout(CALL_TIMEOUT_MS));
      } catch {
        return { failed: row.id };
      }
      await tx.query('update step_run set external_cancel_due = false where id = $1', [row.id]);
      return 'stopped';
    });
  }
}
