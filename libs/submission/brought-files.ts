import type { CollectionSource } from '#libs/collections/collection-source.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { namedFiles } from '#libs/instruction-set/named-files.js';
import type { WorkflowVersion } from '#libs/workflows/stored-workflow.js';
import type { JobOptions } from './job-submission.js';

/**
 * Which texts may name files of the submitter's: in a set made of another's workflow those among the submitted
 * `variables`, else any.
 */
export function filesBrought(
  workflow: Pick<WorkflowVersion, 'user_id'> | null,
  userId: string,
  variables: JsonObject,
): Pick<JobOptions, 'files'> {
  return !workflow || workflow.user_id === userId ? {} : { files: namedFiles(variables) };
}

/** The same in a set that was another's collection's: what it names itself counts only where it may. */
export const filesBesides = (
  { files }: NonNullable<CollectionSource['borrowed']>,
  variables: JsonObject,
): Pick<JobOptions, 'files'> => ({ files: [...new Set([...files, ...namedFiles(variables)])] });
