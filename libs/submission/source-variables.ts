import type { FieldFault } from '#libs/errors/app-error.js';
import { namesOf } from '#libs/instruction-set/check.js';
import type { Json, JsonObject, Variables } from '#libs/instruction-set/instruction-set.js';
import { fieldsOf, isText, type AuthoredForm } from '#libs/workflows/form.js';
import { inputForm } from '#libs/workflows/input-form.js';
import { validateVariables } from '#libs/workflows/form-variables.js';
import type { CollectionSource } from '#libs/collections/collection-source.js';
import { overrideFaults, replaceVariables } from './variable-overrides.js';

export interface AppliedVariables {
  /** Of the job's set. With faults not to be used. */
  variables: Variables;
  /** Of the form, for the price. */
  values: JsonObject;
  faults: FieldFault[];
}

/**
 * A collection's variables with the submitted ones in place of those of the same name. What its workflow's
 * form asks for is held against the form, as in the first submission; the rest against the set alone.
 */
export function applyVariables({ set, workflow }: CollectionSource, submitted: JsonObject): AppliedVariables {
  const form = workflow && inputForm(workflow);
  if (!form) {
    const faults = overrideFaults(set.variables, submitted);
    return { variables: replaceVariables(set.variables, submitted), values: {}, faults };
  }
  const isOwn = ownNames(set.variables, form);
  const own = pick(submitted, isOwn);
  const asked = pick(submitted, (name) => !isOwn(name));
  const { values, faults } = validateVariables(form, { ...formValues(set.variables, form), ...asked });
  return {
    variables: replaceVariables(set.variables, { ...own, ...blanks(form, asked), ...values }),
    values,
    faults: [...overrideFaults(set.variables, own), ...faults],
  };
}

/** Names that the set has beside its form's fields. Unknown ones are the form's to judge. */
function ownNames(variables: Variables, form: AuthoredForm): (name: string) => boolean {
  const asked = new Set(fieldsOf(form).map(({ id }) => id));
  const own = new Set(namesOf(variables).filter((name) => !asked.has(name)));
  return (name) => own.has(name);
}

/** What the form was filled in with, as it stands in the set. */
function formValues(variables: Variables, form: AuthoredForm): JsonObject {
  const asked = new Set(fieldsOf(form).map(({ id }) => id));
  const record = Array.isArray(variables)
    ? Object.fromEntries(variables.map(({ name, value }) => [name, value.values[0] as Json]))
    : variables;
  return pick(record, (name) => asked.has(name));
}

/** A field that is submitted as null is emptied: what it was before must not stay. */
const blanks = (form: AuthoredForm, asked: JsonObject): JsonObject =>
  Object.fromEntries(
    fieldsOf(form)
      .filter(({ id }) => Object.hasOwn(asked, id))
      .map((field) => [field.id, isText(field) ? '' : null]),
  );

const pick = (record: JsonObject, wanted: (name: string) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(record).filter(([name]) => wanted(name)));
