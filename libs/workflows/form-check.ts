import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldPath } from '#libs/instruction-set/field-path.js';
import { validateVariables } from './form-variables.js';
import { hasDefault, isNumber, type AuthoredForm, type FormField } from './form.js';

/** Faults of a well-shaped form beyond its shape, with paths below the form. */
export function checkForm(form: AuthoredForm | null | undefined): FieldFault[] {
  const places = new Map<string, string>();
  const sound: FormField[] = [];
  const faults: FieldFault[] = [];
  for (const { field, place } of placedFields(form)) {
    const found = fieldFaults(field);
    if (places.has(field.id)) found.push({ field: 'id', message: 'is the id of an earlier field, too' });
    else places.set(field.id, place);
    if (found.length === 0) sound.push(field);
    faults.push(...found.map((fault) => ({ ...fault, field: `${place}.${fault.field}` })));
  }
  return [...faults, ...defaultFaults(sound, places)];
}

/** Checks the defaults all at once: what checks a form takes long to make. */
function defaultFaults(fields: FormField[], places: ReadonlyMap<string, string>): FieldFault[] {
  const preset = fields.filter(hasDefault);
  const placeOf = new Map(preset.map(({ id }) => [fieldPath([id]), `${places.get(id)}.default`]));
  return validateVariables({ fields: preset }, {}, { at: '' }).faults.map(({ field, message }) => ({
    field: placeOf.get(field) ?? '',
    message,
  }));
}

const placedFields = (form: AuthoredForm | null | undefined): Array<{ field: FormField; place: string }> =>
  listsOf(form).flatMap(({ list, fields }) =>
    fields.map((field, index) => ({ field, place: `${list}[${index}]` })),
  );

function listsOf(form: AuthoredForm | null | undefined): Array<{ list: string; fields: FormField[] }> {
  if (!form) return [];
  if ('fields' in form) return [{ list: 'fields', fields: form.fields }];
  return [{ list: 'main', fields: form.main ?? [] }, { list: 'advanced', fields: form.advanced ?? [] }];
}

/** Of a field with the options of its list. */
function fieldFaults(field: FormField): FieldFault[] {
  const faults: FieldFault[] = [];
  const { min, max } = field.constraints ?? {};
  if (isNumber(min) && isNumber(max) && min > max) {
    faults.push({ field: 'constraints', message: `min ${min} is above max ${max}` });
  }
  if (field.conf_file && !field.options?.length) {
    faults.push({ field: 'conf_file', message: `there is no form config named ${field.conf_file}` });
  } else if (field.type === 'select' && !field.options?.length) {
    faults.push({ field: 'options', message: 'must list the choices of a select' });
  }
  return faults;
}
