import type { OptionList } from '#libs/form-configs/form-configs.js';
import { fieldsOf, type AuthoredForm, type FormField } from './form.js';

/** The option lists that a form's fields name. */
export const configNamesOf = (form: AuthoredForm | null | undefined): string[] => [
  ...new Set(fieldsOf(form).flatMap(({ conf_file: name }) => (name ? [name] : []))),
];

/** The form with the options of the lists that its fields name; those of a list that is not there are none. */
export const withOptions = <Authored extends AuthoredForm | null | undefined>(
  form: Authored,
  lists: ReadonlyMap<string, OptionList>,
): Authored => {
  // Fields that name the same list have the same array.
  const options = new Map(configNamesOf(form).map((name) => [name, optionsIn(lists.get(name))]));
  return mapFields(form, (field) => (field.conf_file ? { ...field, options: options.get(field.conf_file) ?? [] } : field));
};

const optionsIn = (list: OptionList | undefined): NonNullable<FormField['options']> =>
  (list?.options ?? []).map(({ value, name, label }) => ({ value, name: name ?? label ?? String(value) }));

/** Bytes of JSON that the options of all fields are together. */
export function optionBytes(form: AuthoredForm | null | undefined): number {
  const known = new Map<unknown, number>();
  return fieldsOf(form).reduce((total, { options }) => {
    const bytes = known.get(options) ?? Buffer.byteLength(JSON.stringify(options ?? []));
    known.set(options, bytes);
    return total + bytes;
  }, 0);
}

/** The form as it is stored: the options of a list are the list's. */
export const withoutOptions = <Authored extends AuthoredForm | null | undefined>(form: Authored): Authored =>
  mapFields(form, (field) => {
    if (!field.conf_file) return field;
    const { options: _options, ...own } = field;
    return own;
  });

function mapFields<Authored extends AuthoredForm | null | undefined>(
  form: Authored,
  change: (field: FormField) => FormField,
): Authored {
  if (!form) return form;
  const mapped: Record<string, unknown> = { ...form };
  for (const list of ['fields', 'main', 'advanced']) {
    if (Array.isArray(mapped[list])) mapped[list] = (mapped[list] as FormField[]).map(change);
  }
  return mapped as Authored;
}
