import { maySeeOrigin, type Viewer } from '#libs/assets/asset-queries.js';
import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { JsonObject, Variables, WorkflowPin } from '#libs/instruction-set/instruction-set.js';
import type { FetchedFile, InputFile, Trait } from '#libs/nodes/node.js';
import type { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { lineageOf, type Ancestor } from './lineage.js';
import { findMadeAsset, type MadeAsset } from './made-asset.js';
import { obstaclesOf, type Obstacle } from './obstacles.js';

/** One step of those that made a file. */
export interface ProvenanceStep {
  step_id: string;
  alias: string | null;
  node: string;
  /** The version of the stored workflow that the node is; null: the node is built in. */
  workflow: WorkflowPin | null;
  /** As it was submitted, references and variables not in place. */
  payload: JsonObject;
  /** Ids of the steps whose outputs it took. */
  depends_on: string[];
  /** False: somebody outside decides what it gives. */
  repeatable: boolean;
  /** Files of ours that it was given. */
  inputs: InputFile[];
  /** What other hosts gave when it asked. */
  fetched: FetchedFile[];
  /** Models and their versions, predictions, releases of libraries. */
  made_with: Record<string, string>;
  /** SHA-256 of the payload with everything in place; null where the run's record is gone. */
  input_digest: string | null;
  attempt: number | null;
  started_at: string | null;
  completed_at: string | null;
}

/** How a file was made. To strangers all is null that the public view does not tell. */
export interface Provenance {
  asset_id: string;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
  created_at: string;
  origin: 'generated' | 'uploaded';
  collection: { id: string; title: string | null } | null;
  job: { id: string; name: string; job_type: string; created_at: string; completed_at: string | null } | null;
  generation: {
    id: string; index: number; hash: string; started_at: string | null; completed_at: string | null;
  } | null;
  workflow: { id: string; version: number; name: string | null } | null;
  /** Platen's own: the version of all built-in nodes. */
  release: string | null;
  /** As they are in the set. */
  variables: Variables | null;
  /** What they were in this edition. */
  values: JsonObject | null;
  traits: Trait[] | null;
  step_id: string | null;
  /** The step that made it and all that went into it. */
  steps: ProvenanceStep[] | null;
  rerender: { possible: boolean; obstacles: Obstacle[] } | null;
  /** The asset that it is a re-render of. */
  rerender_of: string | null;
}

/** Tells how files were made. */
export class Provenances {
  constructor(
    private readonly database: Queryable,
    private readonly keys: CollectionKeys,
    private readonly stepWorkflows: Pick<StepWorkflows, 'pinned'>,
  ) {}

  /** Null: there is no such file that the viewer may see. */
  async find(viewer: Viewer, assetId: string): Promise<Provenance | null> {
    const made = await findMadeAsset(this.database, this.keys, viewer, assetId);
    if (!made) return null;
    const isOwn = viewer?.userId === made.asset.user_id || viewer?.role === 'admin';
    if (!isOwn && !maySeeOrigin(made.asset, viewer)) return publicPart(made);
    const lineage = await this.lineage(made);
    return isOwn ? { ...publicPart(made), ...ownPart(made, lineage) } : { ...publicPart(made), ...openPart(made, lineage) };
  }

  private async lineage({ set, asset }: MadeAsset): Promise<Ancestor[]> {
    if (!set || asset.step_id === null) return [];
    return lineageOf(set.steps, asset.step_id, await this.stepWorkflows.pinned(set));
  }
}

/** What the public view of its collection tells, too. */
const publicPart = ({ asset, created_at, collection_title, outcome }: MadeAsset): Provenance => ({
  asset_id: asset.id,
  name: asset.name,
  mime_type: asset.mime_type,
  size: Number(asset.size),
  sha256: asset.sha256,
  created_at: created_at.toISOString(),
  origin: asset.generation_id === null ? 'uploaded' : 'generated',
  collection: asset.collection_id === null ? null : { id: asset.collection_id, title: collection_title },
  traits: outcome?.traits ?? null,
  job: null, generation: null, workflow: null, release: null, variables: null, values: null,
  step_id: asset.step_id, steps: null, rerender: null, rerender_of: null,
});

/** What a set that may be remixed tells of itself. */
const openPart = ({ set }: MadeAsset, lineage: Ancestor[]): Partial<Provenance> => ({
  variables: set?.variables ?? null,
  steps: lineage.map((ancestor) => writtenStep(ancestor, set?.workflows)),
});

function ownPart(made: MadeAsset, lineage: Ancestor[]): Partial<Provenance> {
  const { set, job, generation, workflow, outcome } = made;
  const obstacles = obstaclesOf(made, lineage);
  return {
    job: job && jobPart(job),
    generation: generation && generationPart(generation),
    workflow,
    release: outcome?.made?.release ?? null,
    variables: set?.variables ?? null,
    values: outcome?.variables ?? null,
    steps: set && lineage.map((ancestor) => ({ ...writtenStep(ancestor, set.workflows), ...ranStep(made, ancestor) })),
    rerender: { possible: obstacles.length === 0, obstacles },
    rerender_of: made.rerender_of,
  };
}

const jobPart = ({ id, name, job_type, created_at, completed_at }: NonNullable<MadeAsset['job']>) => ({
  id, name, job_type, created_at: iso(created_at), completed_at: isoOrNull(completed_at),
});

const generationPart = ({ id, index, hash, started_at, completed_at }: NonNullable<MadeAsset['generation']>) => ({
  id, index, hash, started_at: isoOrNull(started_at), completed_at: isoOrNull(completed_at),
});

const writtenStep = (
  { step, dependsOn, asksOutside }: Ancestor,
  workflows: Readonly<Record<string, WorkflowPin>> = {},
): ProvenanceStep => ({
  step_id: String(step.id),
  alias: step.alias ?? null,
  node: step.nodeName,
  workflow: Object.hasOwn(workflows, step.nodeName) ? (workflows[step.nodeName] as WorkflowPin) : null,
  payload: step.nodePayload,
  depends_on: dependsOn,
  repeatable: !asksOutside,
  inputs: [], fetched: [], made_with: {}, input_digest: null, attempt: null, started_at: null, completed_at: null,
});

function ranStep({ attempts, outcome }: MadeAsset, { step }: Ancestor): Partial<ProvenanceStep> {
  const { inputs = [], fetched = [], madeWith = {} } = outcome?.made?.steps[String(step.id)] ?? {};
  const ran = attempts?.find(({ step_id }) => String(step_id) === String(step.id));
  return {
    inputs, fetched, made_with: madeWith,
    ...(ran && {
      input_digest: ran.input_digest, attempt: ran.attempt, started_at: iso(ran.started_at),
      completed_at: iso(ran.completed_at),
    }),
  };
}

const iso = (time: string): string => new Date(time).toISOString();
const isoOrNull = (time: string | null): string | null => time && iso(time);
