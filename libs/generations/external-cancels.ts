import type { Database, Transaction } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { InstructionSet, Json } from '#libs/instruction-set/instruction-set.js';
import type { StoredNodes } from '#libs/engine/step-runner.js';
import { openedReference } from './sealed-steps.js';

/** Calls per sweep. */
const BATCH = 20;

interface CancelRow {
  id: string;
  node: string;
  reference: Json;
  workflows: InstructionSet['workflows'] | null;
  encrypted: boolean;
  collection_id: string | null;
}

/**
 * Stops work outside whose step was cancelled while it waited. The row stays locked while its node is
 * asked, so each is asked by one worker at a time; what fails is asked again for an hour.
 */
export class ExternalCancels {
  constructor(
    private readonly database: Database,
    private readonly nodes: StoredNodes,
    private readonly keys: CollectionKeys,
    private readonly callTimeoutMs = 10_000,
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
      const [row] = await tx.query<CancelRow>(
        `select s.id, s.node, s.reference, j.instruction_set -> 'workflows' as workflows,
                j.encrypted, j.collection_id
           from step_run s join generation g on g.id = s.generation_id join job j on j.id = g.job_id
          where s.external_cancel_due and s.completed_at > now() - interval '1 hour' and s.id <> all($1)
          order by s.completed_at limit 1 for update of s skip locked`,
        [skip],
      );
      if (!row) return 'none';
      try {
        const registry = await this.nodes.pinned({ workflows: row.workflows ?? {} });
        const signal = AbortSignal.timeout(this.callTimeoutMs);
        const reference = await this.referenceOf(row, tx);
        await Promise.race([registry.find(row.node)?.cancel?.(reference, signal), abortOf(signal)]);
      } catch {
        return { failed: row.id };
      }
      await tx.query('update step_run set external_cancel_due = false where id = $1', [row.id]);
      return 'stopped';
    });
  }

  private async referenceOf({ reference, encrypted, collection_id }: CancelRow, tx: Transaction): Promise<Json> {
    return encrypted ? openedReference(await this.keys.opener(collection_id, tx), reference) : reference;
  }
}

/** A node may not heed its signal: the transaction does not stay open for it. */
const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
