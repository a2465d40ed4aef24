import { streamSeed } from '#libs/instruction-set/random.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { NodeContext } from '#libs/nodes/node.js';

/** Values that the system knows of each generation: known names, but never taken from a caller. */
export const SYSTEM_NAMES = [
  'hash', 'seed', 'prefix', 'filename', 'bucket', 'generation_index', 'user_id',
] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];
export type SystemValues = Record<SystemName, Json>;

/**
 * What a mapping may name beside the form's fields. `seed` is a whole number below 2³² that the hash decides,
 * unless the form has a field of that name that was filled in.
 */
export function systemValuesOf(context: NodeContext, values: JsonObject, bucket: string): SystemValues {
  const { hash, edition, generationIndex } = context;
  return {
    hash,
    seed: values['seed'] ?? streamSeed(hash, 'seed')[0],
    prefix: `generations/${edition.userId}/${edition.jobId}/${edition.generationId}`,
    filename: hash,
    bucket,
    generation_index: generationIndex,
    user_id: edition.userId,
  };
}
