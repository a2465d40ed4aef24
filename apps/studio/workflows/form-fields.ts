import type { FormField, PropertySchema, Workflow } from '../api/shapes.js';

export type Control = 'text' | 'prose' | 'number' | 'range' | 'choice' | 'switch' | 'color' | 'ratio' | 'image';
export type Value = string | number | boolean;

/** One field of a drawn form. */
export interface Field {
  id: string;
  label: string;
  control: Control;
  required: boolean;
  /** Null: it begins empty. */
  initial: Value | null;
  group: string | null;
  placeholder: string;
  /** Of `number` and `range`. */
  min?: number;
  max?: number;
  step?: number;
  /** Of `choice`. */
  choices?: Array<{ value: Value; label: string }>;
}

/** Numbers with both ends and at most so many steps between them are drawn as a slider. */
const MOST_STEPS = 2_000;

/**
 * The fields of a workflow's form. What a value may be is said by the JSON Schema alone; the author's form adds how it
 * reads: names of choices, groups, long texts.
 */
export function fieldsOf({ form_schema, data }: Pick<Workflow, 'form_schema' | 'data'>): Field[] {
  const { properties = {}, required = [] } = form_schema;
  const hints = new Map(hintsOf(data.form).map((hint) => [hint.id, hint]));
  return Object.entries(properties).map(([id, schema]) => fieldOf(id, schema, required.includes(id), hints.get(id)));
}

const hintsOf = (form: Workflow['data']['form']): FormField[] =>
  form ? [...(form.fields ?? []), ...(form.main ?? []), ...(form.advanced ?? [])] : [];

function fieldOf(id: string, schema: PropertySchema, required: boolean, hint: FormField | undefined): Field {
  return {
    id,
    label: schema.title ?? wordsOf(id),
    control: controlOf(schema, hint),
    required,
    initial: isValue(schema.default) ? schema.default : null,
    group: [hint?.group].flat()[0] ?? null,
    placeholder: hint?.placeholder ?? '',
    min: schema.minimum,
    max: schema.maximum,
    step: stepOf(schema),
    choices: schema.enum?.map((value) => ({ value, label: labelOf(value, hint) })),
  };
}

/** Undefined: any number will do. */
function stepOf(schema: PropertySchema): number | undefined {
  return schema['x-step']?.by ?? schema.multipleOf ?? (schema.type === 'integer' ? 1 : undefined);
}

function controlOf(schema: PropertySchema, hint: FormField | undefined): Control {
  if (schema.enum) return 'choice';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'number' || schema.type === 'integer') return isShort(schema) ? 'range' : 'number';
  if (hint?.type === 'prompt_editor') return 'prose';
  return controlOfText(schema.pattern ?? '');
}

/** By the pattern of its values: a color begins with `#`, a ratio has a colon between numbers, an image is an address. */
function controlOfText(pattern: string): Control {
  if (pattern.startsWith('^#')) return 'color';
  if (pattern.includes('):[1-9]') || pattern.includes(')?:[1-9]')) return 'ratio';
  return pattern.includes('https?://') ? 'image' : 'text';
}

function isShort(schema: PropertySchema): boolean {
  const { minimum, maximum } = schema;
  return minimum !== undefined && maximum !== undefined && (maximum - minimum) / (stepOf(schema) ?? 1) <= MOST_STEPS;
}

function labelOf(value: Value, hint: FormField | undefined): string {
  const option = hint?.options?.find((each) => each.value === value);
  return option?.label ?? option?.name ?? String(value);
}

const isValue = (value: unknown): value is Value => ['string', 'number', 'boolean'].includes(typeof value);

/** `aspect_ratio` as `Aspect ratio`. */
const wordsOf = (id: string): string => {
  const words = id.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const initialValues = (fields: Field[]): Record<string, Value> =>
  Object.fromEntries(fields.flatMap((field) => {
    const value = field.initial ?? shownFrom(field);
    return value === null ? [] : [[field.id, value]];
  }));

/** What a control shows before anyone has touched it must be what is sent. */
function shownFrom({ control, required, min }: Field): Value | null {
  if (control === 'switch') return false;
  return control === 'range' && required ? (min ?? null) : null;
}

/** What is sent: a field that was left empty is not, so that the workflow's own default stands. */
export const variablesOf = (values: Record<string, Value>): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));

/** Fields by their group, in the order of their first field. */
export function groupsOf(fields: Field[], order: string[] = []): Array<{ name: string | null; fields: Field[] }> {
  const names = [...new Set([...order, ...fields.map(({ group }) => group)])];
  return names
    .map((name) => ({ name, fields: fields.filter(({ group }) => group === name) }))
    .filter((group) => group.fields.length > 0);
}
