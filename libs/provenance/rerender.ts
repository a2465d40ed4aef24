import type { Database, Transaction } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { notFound, notRepeatable } from '#libs/errors/errors.js';
import type { Accounts } from '#libs/identity/accounts.js';
import { sinksOf } from '#libs/instruction-set/graph.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { collectionJob } from '#libs/submission/collection-job.js';
import { jobLabels } from '#libs/submission/job-labels.js';
import type { JobSubmission } from '#libs/submission/job-submission.js';
import type { Submissions } from '#libs/submission/submissions.js';
import type { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { lineageOf, type Ancestor } from './lineage.js';
import { findMadeAsset, type MadeAsset } from './made-asset.js';
import { obstaclesOf } from './obstacles.js';

const PRIORITY = 50;

export interface PreparedRerender {
  assetId: string;
  job: JobSubmission;
  /** The edition's place in its job, which sketches and scripts may read. */
  index: number;
  /** The generation whose record says what steps gave that are not run again. */
  recordedIn: string;
  /** Steps that asked somebody outside: what they gave counts as it was recorded. */
  recorded: string[];
  /** Steps that had no part in it. */
  left: string[];
}

/**
 * Makes a file again with exactly what made it: its job's set with the versions of workflows it was bound to, its
 * hash and place, on a job of its own that belongs to no collection. Nothing of the old file is touched.
 */
export class Rerenders {
  constructor(
    private readonly database: Database,
    private readonly keys: CollectionKeys,
    private readonly stepWorkflows: Pick<StepWorkflows, 'pinned'>,
    private readonly accounts: Accounts,
    private readonly submissions: Submissions,
  ) {}

  /** Throws `NOT_FOUND` unless the asset is the user's, `NOT_REPEATABLE` with what stands against it. */
  async prepare(userId: string, assetId: string): Promise<PreparedRerender> {
    const made = await findMadeAsset(this.database, this.keys, { userId, role: 'user' }, assetId);
    if (!made || made.asset.user_id !== userId) throw notFound('Asset');
    const registry = await this.stepWorkflows.pinned(made.set ?? {});
    const lineage = lineageOf(made.set?.steps ?? [], made.asset.step_id ?? '', registry);
    const obstacles = obstaclesOf(made, lineage);
    const { set, generation } = made;
    if (obstacles.length > 0 || !set || !generation) throw notRepeatable(obstacles);
    const recorded = lineage.filter(({ asksOutside }) => asksOutside).map(idOf);
    await this.assertKept(generation.id, recorded);
    const parts = {
      ...partsOf(made, set, registry),
      set: onlyEdition(set, generation.hash),
      price: { base: 0n, perGeneration: BigInt(generation.price) },
      plan: await this.accounts.planOf(userId),
    };
    return {
      assetId,
      index: generation.index,
      recordedIn: generation.id,
      recorded,
      left: partless(set, lineage),
      // The set says already which versions its workflows have.
      job: collectionJob(parts, { registry, workflows: new Map() }),
    };
  }

  /** Throws `INSUFFICIENT_CREDITS`, `TOO_MANY_INFLIGHT`. */
  async commit(tx: Transaction, prepared: PreparedRerender): Promise<void> {
    const { assetId, job, index, recordedIn, recorded, left } = prepared;
    await this.submissions.submit(tx, job);
    const [generation] = job.generations;
    await tx.query('update generation set index = $2 where id = $1', [generation?.id, index]);
    await tx.query(TAKE_RECORDED, [generation?.id, recordedIn, recorded]);
    await tx.query(LEAVE_OUT, [generation?.id, left]);
    await tx.query('insert into rerender (job_id, asset_id) values ($1, $2)', [job.id, assetId]);
  }

  /** What is taken as it was recorded may be files, which are given up where only the last steps' are kept. */
  private async assertKept(generationId: string, stepIds: string[]): Promise<void> {
    const lost = await this.database.query<{ step_id: string; node: string }>(LOST, [generationId, stepIds]);
    if (lost.length === 0) return;
    const message = 'asks somebody outside, and the files it gave were not kept (save_intermediate_outputs)';
    throw notRepeatable(lost.map(({ step_id, node }) => ({ step_id, node, message })));
  }
}

function partsOf({ asset, job, workflow }: MadeAsset, { steps }: InstructionSet, registry: NodeRegistry) {
  const { files } = job?.options ?? {};
  const isSink = sinksOf(steps, registry).includes(asset.step_id ?? '');
  return {
    userId: asset.user_id,
    collectionId: null,
    workflow,
    name: `Rerender: ${asset.name}`,
    description: null,
    type: 'asset_rerender' as const,
    priority: PRIORITY,
    options: { ...(files && { files }), ...(!isSink && { save_intermediate_outputs: true }) },
    ...jobLabels({}),
  };
}

const idOf = ({ step }: Ancestor): string => String(step.id);

const onlyEdition = (set: InstructionSet, hash: string): InstructionSet => ({
  ...set, generations: { hashes: [hash], generations: 1, use_custom_hashes: true },
});

function partless({ steps }: InstructionSet, lineage: Ancestor[]): string[] {
  const inLineage = new Set(lineage.map(idOf));
  return steps.map(({ id }) => String(id)).filter((id) => !inLineage.has(id));
}

const LOST = `
  select distinct s.step_id, s.node
    from step_run s cross join jsonb_array_elements(s.output -> 'assets') as a
   where s.generation_id = $1 and s.status = 'completed' and s.step_id = any($2::bigint[])
     and not exists (select from flat_file f where f.id = (a ->> 'id')::bigint and f.deleted_at is null)`;

/** Finished from the beginning, so that the engine goes on from them. */
const TAKE_RECORDED = `
  insert into step_run (generation_id, run, step_id, attempt, node, alias, status, token, input_digest, output, progress,
                        completed_at)
  select $1::uuid, 1, s.step_id, 1, s.node, s.alias, 'completed', gen_random_uuid(), s.input_digest, s.output, 1, now()
    from step_run s
   where s.generation_id = $2 and s.status = 'completed' and s.step_id = any($3::bigint[])`;

const LEAVE_OUT = `
  insert into step_run (generation_id, run, step_id, attempt, node, status, token, output, progress, completed_at)
  select $1::uuid, 1, step_id, 1, 'left out', 'completed', gen_random_uuid(),
         '{"assets": [], "value": null, "traits": []}', 1, now()
    from unnest($2::bigint[]) as step_id`;
