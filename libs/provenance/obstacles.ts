import type { Ancestor } from './lineage.js';
import type { MadeAsset } from './made-asset.js';

/** Why a file cannot be made again. */
export interface Obstacle {
  /** Null: no step of its own is at fault. */
  step_id: string | null;
  node: string | null;
  message: string;
}

const whole = (message: string): Obstacle[] => [{ step_id: null, node: null, message }];

/**
 * What stands against making a file again byte for byte, as far as it can be told before anything runs. A step
 * before it that asks somebody outside is none: what it gave is taken as it was recorded.
 */
export function obstaclesOf(made: MadeAsset, lineage: Ancestor[]): Obstacle[] {
  const { asset, set, job, generation } = made;
  if (!set || !job || !generation) return whole('It was brought here, not made here');
  const own = lineage.find(({ step }) => String(step.id) === asset.step_id);
  if (!own) return whole('The step that made it is not known any more');
  if (asset.encrypted) return whole('Its collection is encrypted: what is made again would lie outside of it');
  if (own.asksOutside) {
    const { id, nodeName } = own.step;
    const message = 'asks somebody outside, who gives something else each time';
    return [{ step_id: String(id), node: nodeName, message }];
  }
  const finished = new Set(made.attempts?.map(({ step_id }) => String(step_id)));
  return lineage
    .filter(({ step, asksOutside }) => asksOutside && !finished.has(String(step.id)))
    .map(({ step }) => ({
      step_id: String(step.id), node: step.nodeName, message: 'asks somebody outside, and what it gave is not known any more',
    }));
}
