import type { Opener } from '#libs/encryption/collection-seal.js';
import { openedError } from '#libs/encryption/sealed-error.js';
import { OUTPUT_BYTES, type GenerationRow, type StepRow } from './job-rows.js';
import { openedLogs, openedValue } from './sealed-steps.js';

/** A generation of an encrypted job, for its owner. */
export const openedGeneration = (opener: Opener, row: GenerationRow): GenerationRow => ({
  ...row,
  error: openedError(opener, row.error),
  traits: opener.openTraits(row.traits),
  steps: row.steps.map((step) => openedStep(opener, row.id, step)),
});

function openedStep(opener: Opener, generationId: string, { output: sealed, ...row }: StepRow): StepRow {
  const output = sealed === undefined ? undefined : openedValue(opener, generationId, row.step_id, sealed);
  const isTooLarge = output !== undefined && Buffer.byteLength(JSON.stringify(output)) > OUTPUT_BYTES;
  return {
    ...row,
    alias: row.alias && opener.openName(row.alias),
    error: openedError(opener, row.error),
    logs: openedLogs(opener, generationId, row.step_id, row.logs),
    ...(output !== undefined && (isTooLarge ? { output_truncated: true } : { output })),
  };
}
