import type { Queryable } from '#libs/database/database.js';
import { foreignKey, type OutputAsset, type StepOutput } from '#libs/engine/generation-store.js';
import { imageReference, imageValues, type ImageReference } from '#libs/instruction-set/image-values.js';
import type { InstructionSet } from '#libs/instruction-set/instruction-set.js';
import { referencesOf } from '#libs/instruction-set/references.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const COMPONENT_ID = /^\d{1,18}$/;

/**
 * What references to other collections take, in the steps and among the images of the variables: the first finished
 * asset of that step, which does not change when more editions are made. Only of one's own collections (null:
 * nobody's) and of published ones that may be remixed.
 */
export function loadForeignOutputs(
  db: Queryable,
  { steps, variables }: Pick<InstructionSet, 'steps' | 'variables'>,
  registry: NodeRegistry,
  userId: string | null,
): Promise<Map<string, StepOutput>> {
  const inSteps = steps
    .flatMap((step) => referencesOf(step, registry.find(step.nodeName)))
    .flatMap(({ stepId, collection }) => (collection === null ? [] : [{ stepId, collection }]));
  const images = imageValues(variables).flatMap(({ value }) => imageReference(value) ?? []);
  return loadReferences(db, [...inSteps, ...images], userId);
}

/** The same for these references. Those that name nothing which the user may see are left out. */
export async function loadReferences(
  db: Queryable,
  references: readonly ImageReference[],
  userId: string | null,
): Promise<Map<string, StepOutput>> {
  const wanted = references.filter(({ stepId, collection }) => UUID.test(collection) && COMPONENT_ID.test(stepId));
  if (wanted.length === 0) return new Map();
  const rows = await db.query<OutputAsset & { collection_id: string; step_id: string }>(FIRST_ASSETS, [
    wanted.map(({ collection }) => collection),
    wanted.map(({ stepId }) => stepId),
    userId,
  ]);
  return new Map(
    rows.map(({ collection_id, step_id, ...asset }) => [
      foreignKey(step_id, collection_id),
      { assets: [{ ...asset, size: Number(asset.size) }], value: null, traits: [] },
    ]),
  );
}

const FIRST_ASSETS = `
  select distinct on (f.collection_id, f.step_id)
         f.collection_id, f.step_id, f.id, f.url, f.name, f.mime_type, f.size, f.sha256, f.width, f.height,
         f.duration, f.storage_key
    from unnest($1::uuid[], $2::bigint[]) as w (collection_id, step_id)
    join flat_file f using (collection_id, step_id)
    join collection c on c.id = f.collection_id
   where f.shown and f.deleted_at is null
     and (c.user_id = $3 or (c.remixable and c.status = 'published' and not c.archived))
   order by f.collection_id, f.step_id, f.id`;
