import { fieldsOf, type AuthoredForm, type FormField } from './form.js';
import { findWorkflowKind } from './kinds/index.js';
import type { StoredWorkflow, WorkflowData } from './stored-workflow.js';
import { SYSTEM_NAMES } from './system-values.js';

/** Made once for each version: what checks a form is kept with it. */
const made = new WeakMap<WorkflowData, AuthoredForm | null>();

/**
 * What a workflow's submissions are held against: its form, and a field of any plain value for each name that only
 * its mapping knows.
 */
export function inputForm({ type, data }: Pick<StoredWorkflow, 'type' | 'data'>): AuthoredForm | null {
  const known = made.get(data);
  if (known !== undefined) return known;
  const form = withFields(data.form, findWorkflowKind(type)?.names?.(data) ?? []);
  made.set(data, form);
  return form;
}

function withFields(form: AuthoredForm | null | undefined, names: readonly string[]): AuthoredForm | null {
  const taken = new Set<string>([...fieldsOf(form).map(({ id }) => id), ...SYSTEM_NAMES]);
  const more: FormField[] = [...new Set(names)].filter((name) => !taken.has(name)).map((id) => ({ id, type: 'any' }));
  if (more.length === 0) return form ?? null;
  return { config: form?.config ?? null, fields: [...fieldsOf(form), ...more] };
}
