import { showAssets } from '#libs/assets/asset-rows.js';
import { sinksOf } from '#libs/instruction-set/graph.js';
import type { InstructionSet, Json } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import type { ChangedGeneration, JobChange } from './job-transaction.js';

export interface GenerationError {
  code: string;
  message: string;
  step_id: string | null;
}

/** How an event names its generation. */
export const eventOf = (generation: ChangedGeneration) => ({
  generation_id: generation.id,
  generation_index: generation.index,
  hash: generation.hash,
});

/** What is read of a generation when it changes. */
export const CHANGED_COLUMNS = 'id, index, hash, run, price';

export interface ChangedRow {
  id: string;
  index: number;
  hash: string;
  run: number;
  price: string;
}

export const changedGeneration = (row: ChangedRow): ChangedGeneration => ({
  id: row.id,
  index: row.index,
  hash: row.hash,
  run: row.run,
  price: BigInt(row.price),
});

/** Shown means paid: assets become visible in the transaction that captures their generation's price. */
export async function completeGeneration(
  change: JobChange,
  generation: ChangedGeneration,
  registry: NodeRegistry,
): Promise<void> {
  const { tx } = change;
  tracepoint('settlement.before-write', { generationId: generation.id });
  const traits = await mergedTraits(change, generation.id);
  await tx.query(
    `update generation set status = 'completed', progress = 100, traits = $2, error = null, completed_at = $3,
       lease_until = null, leased_by = null, wake_at = null where id = $1`,
    [generation.id, JSON.stringify(traits), change.now],
  );
  const steps = await shownSteps(change, registry);
  const assets = await showAssets(tx, { generationId: generation.id, steps });
  for (const asset of assets) {
    change.emit('image_generated', { ...eventOf(generation), step_id: asset.step_id ?? undefined, asset: { ...asset } });
  }
  change.captured(generation);
  change.emit('generation_completed', { ...eventOf(generation), status: 'completed', progress: 100 });
  change.finish();
  tracepoint('settlement.before-commit', { generationId: generation.id });
}

/** Ends a generation without a result and gives its price back. What its steps made stays hidden. */
export async function failGeneration(
  change: JobChange,
  generation: ChangedGeneration,
  error: GenerationError,
): Promise<void> {
  await change.tx.query(
    `update generation set status = 'failed', error = $2, completed_at = $3, lease_until = null, leased_by = null,
       wake_at = null where id = $1`,
    [generation.id, JSON.stringify(error), change.now],
  );
  await endOpenSteps(change, [generation.id]);
  change.released(generation, 'failed');
  change.emit('generation_failed', {
    ...eventOf(generation),
    status: 'failed',
    ...(error.step_id && { step_id: error.step_id }),
    error: { code: error.code, message: error.message },
  });
  change.finish();
}

/** Closes attempts that nobody will finish; what they started outside is marked to be cancelled there. */
export async function endOpenSteps(change: JobChange, generationIds: string[]): Promise<void> {
  await change.tx.query(
    `update step_run set status = 'cancelled', completed_at = $2, external_cancel_due = reference is not null
      where generation_id = any($1) and status in ('running', 'waiting')`,
    [generationIds, change.now],
  );
}

async function mergedTraits(change: JobChange, generationId: string): Promise<Trait[]> {
  const rows = await change.tx.query<{ traits: Trait[] }>(
    `select g.traits from generation g where g.id = $1
     union all
     (select s.output -> 'traits' from step_run s where s.generation_id = $1 and s.status = 'completed'
       order by s.step_id)`,
    [generationId],
  );
  const byType = new Map(rows.flatMap(({ traits }) => traits ?? []).map((trait) => [trait.trait_type, trait]));
  return [...byType.values()];
}

/** Steps whose assets are shown: those that no other step uses, or all with `save_intermediate_outputs`. */
async function shownSteps(change: JobChange, registry: NodeRegistry): Promise<string[] | 'all'> {
  const [row] = await change.tx.query<{ set: InstructionSet; all: Json }>(
    `select instruction_set as set, options -> 'save_intermediate_outputs' as all from job where id = $1`,
    [change.job.id],
  );
  if (!row || row.all === true) return 'all';
  return sinksOf(row.set.steps, registry);
}
