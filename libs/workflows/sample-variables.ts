import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { validateVariables } from './form-variables.js';
import type { WorkflowData } from './stored-workflow.js';

/**
 * Variables to try a workflow's price with: the form's defaults, and its `test` variables over them. Defaults
 * that alone would not pass the form are no submission, so they only stand where there is no `test`.
 */
export function sampleVariables({ form, test }: Pick<WorkflowData, 'form' | 'test'>): JsonObject[] {
  const defaults = validateVariables(form, {});
  const tested = test ? [validateVariables(form, test).values] : [];
  return defaults.faults.length === 0 || tested.length === 0 ? [defaults.values, ...tested] : tested;
}
