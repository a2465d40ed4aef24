import type { FieldFault } from '#libs/errors/app-error.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import { validateVariables } from './form-variables.js';
import { hasDefault, isNumber, type AuthoredForm, type FormField } from './form.js';

/** Faults of a well-shaped form beyond its shape, with paths below the form. */
export function checkForm(form: AuthoredForm | null | undefined): FieldFault[] {
  const seen = new Set<string>();
  return listsOf(form).flatMap(({ list, fields }) =>
    fields.flatMap((field, index) => {
      const faults = fieldFaults(field);
      if (seen.has(field.id)) faults.push({ field: 'id', message: 'is the id of an earlier field, too' });
      seen.add(field.id);
      return faults.map((fault) => ({ ...fault, field: `${list}[${index}].${fault.field}` }));
    }),
  );
}

function listsOf(form: AuthoredForm | null | undefined): Array<{ list: string; fields: FormField[] }> {
  if (!form) return [];
  if ('fields' in form) return [{ list: 'fields', fields: form.fields }];
  return [{ list: 'main', fields: form.main ?? [] }, { list: 'advanced', fields: form.advanced ?? [] }];
}

function fieldFaults(field: FormField & { conf_file?: Json }): FieldFault[] {
  const faults: FieldFault[] = [];
  const { min, max } = field.constraints ?? {};
  if (isNumber(min) && isNumber(max) && min > max) {
    faults.push({ field: 'constraints', message: `min ${min} is above max ${max}` });
  }
  if (field.conf_file) {
    faults.push({ field: 'conf_file', message: 'option lists are not stored by this version: use options' });
  } else if (field.type === 'select' && !field.options?.length) {
    faults.push({ field: 'options', message: 'must list the choices of a select' });
  }
  return faults.length > 0 ? faults : defaultFaults(field);
}

const defaultFaults = (field: FormField): FieldFault[] =>
  hasDefault(field)
    ? validateVariables({ fields: [field] }, {}).faults.map(({ message }) => ({ field: 'default', message }))
    : [];
