import type { Json } from '#libs/instruction-set/instruction-set.js';

export const FIELD_TYPES = [
  'select', 'slider', 'input', 'optional_input', 'prompt_editor', 'image_loader', 'checkbox', 'color_picker',
  'aspect_ratio', 'text', 'number',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A form's field as it is stored. One without a type is plain text. No author's field is of type `any` (`inputForm`). */
export interface FormField {
  id: string;
  name?: string | null;
  type?: FieldType | 'any' | null;
  default?: Json;
  required?: boolean | null;
  /** The older spelling of `required`. */
  is_required?: boolean | null;
  display?: Json;
  group?: string | string[] | null;
  placeholder?: string | null;
  constraints?: { min?: number | null; max?: number | null; step?: number | null } | null;
  options?: Array<{ value: Json; label?: string; name?: string }> | null;
  /** A stored list of options, which then are the field's. */
  conf_file?: string | null;
  input_type?: string | null;
}

export interface FormConfig {
  groupOrder?: string[];
  /** Generations of one submission at most. */
  maxNumberOfGenerations?: number | null;
  componentGroup?: Json;
}

export interface Form {
  config?: FormConfig | null;
  fields: FormField[];
}

/** A form as authors write it: the newer shape, or the older one with its fields in two groups. */
export type AuthoredForm = Form | { config?: FormConfig | null; main?: FormField[]; advanced?: FormField[] };

/** The fields of a form of either shape, the main ones first. */
export function fieldsOf(form: AuthoredForm | null | undefined): FormField[] {
  if (!form) return [];
  return 'fields' in form ? form.fields : [...(form.main ?? []), ...(form.advanced ?? [])];
}

/** Whether a submission must bring a value. A field with a default never needs one. */
export const isRequired = (field: FormField): boolean =>
  field.type !== 'optional_input' && !hasDefault(field) && (field.required ?? field.is_required) === true;

/** An empty text is no default: forms carry it where nothing is preset. */
export const hasDefault = ({ default: preset }: FormField): boolean =>
  preset !== undefined && preset !== null && preset !== '';

/** A number is held by a slider, an input of that type, or by one with a numeric default or limits. */
export function isNumeric({ type, input_type, default: preset, constraints }: FormField): boolean {
  if (type === 'slider' || type === 'number') return true;
  if (type && !INPUTS.has(type)) return false;
  if (input_type) return NUMERIC_INPUT_TYPES.has(input_type);
  return [preset, ...Object.values(constraints ?? {})].some(isNumber);
}

const INPUTS = new Set<FormField['type']>(['input', 'optional_input']);
const NUMERIC_INPUT_TYPES = new Set(['number', 'integer', 'range']);

export const isNumber = (value: unknown): value is number => typeof value === 'number';

/** Whether the field holds text of any kind. */
export const isText = (field: FormField): boolean => !isNumeric(field) && !NO_TEXT.has(field.type ?? 'text');
const NO_TEXT = new Set<FormField['type']>(['any', 'select', 'image_loader', 'checkbox', 'color_picker', 'aspect_ratio']);
