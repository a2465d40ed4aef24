import { RELEASE } from '#libs/config/release.js';
import type { GenerationState, StepOrigin } from '#libs/engine/generation-store.js';

/** How an edition's files were made, beside the set: kept with each of them (`made` of `gen_out_data`). */
export interface Making {
  /** Platen's release: the version of every built-in node. */
  release: string;
  /** By step id. */
  steps: Record<string, StepOrigin>;
}

export const makingOf = ({ finished }: Pick<GenerationState, 'finished'>): Making => ({
  release: RELEASE,
  steps: Object.fromEntries(
    [...finished].map(([stepId, { inputs, fetched, madeWith }]) => [
      stepId,
      { ...(inputs && { inputs }), ...(fetched && { fetched }), ...(madeWith && { madeWith }) },
    ]),
  ),
});
