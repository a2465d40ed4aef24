import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { WorkflowVersion } from '#libs/workflows/stored-workflow.js';
import type { JobOptions } from './job-submission.js';

/** An asset's id, or its URL. */
const FILE = /^(\d{1,18}|(https?:\/\/[^/]+)?\/files\/.+)$/;

/**
 * Which texts may name files of the submitter's: in a set made of another's workflow those among the submitted
 * `variables`, else any.
 */
export function filesBrought(
  workflow: Pick<WorkflowVersion, 'user_id'> | null,
  userId: string,
  variables: JsonObject,
): Pick<JobOptions, 'files'> {
  if (!workflow || workflow.user_id === userId) return {};
  return { files: [...new Set(textsIn(variables).filter((text) => FILE.test(text)))] };
}

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
