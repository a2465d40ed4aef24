import type { JsonSchema } from '#libs/nodes/node.js';
import {
  fieldsOf, hasDefault, isNumber, isNumeric, isRequired, type AuthoredForm, type FormField,
} from './form.js';

/** What an image field takes: a web address, a file of this system, or the id of an uploaded asset. */
const IMAGE = '^(https?://\\S+|/files/\\S+|[0-9]{1,18})$';
const COLOR = '^#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$';
const RATIO = '^[1-9][0-9]{0,4}(\\.[0-9]{1,4})?:[1-9][0-9]{0,4}(\\.[0-9]{1,4})?$';

/** The list of a field's options is gone. */
const NO_CHOICE: JsonSchema = { not: {}, description: 'one of a list of options that is not there' };
/** Judged when it was submitted, by the list as it was then. */
const ANY_CHOICE: JsonSchema = { type: ['string', 'number', 'boolean'] };

/**
 * The variables of a form as JSON Schema (draft 2020-12), for clients to draw and for us to check by. Steps
 * count from `min`; where `multipleOf` cannot say that, `x-step: { from, by }` does.
 */
export const formSchema = (form: AuthoredForm | null | undefined): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: Object.fromEntries(fieldsOf(form).map((field) => [field.id, fieldSchema(field)])),
  required: fieldsOf(form).filter(isRequired).map(({ id }) => id),
  additionalProperties: false,
});

const fieldSchema = (field: FormField): JsonSchema => ({
  ...(field.name ? { title: field.name } : {}),
  ...valueSchema(field),
  ...(hasDefault(field) ? { default: field.default } : {}),
});

function valueSchema(field: FormField): JsonSchema {
  // A list of choices says all there is to say, whatever the values are.
  if (field.options?.length) return { enum: field.options.map(({ value }) => value) };
  if (field.conf_file) return field.options ? NO_CHOICE : ANY_CHOICE;
  if (isNumeric(field)) return numberSchema(field);
  switch (field.type) {
    case 'any':
      return { type: ['string', 'number', 'boolean'] };
    case 'checkbox':
      return { type: 'boolean' };
    case 'color_picker':
      return { type: 'string', pattern: COLOR, description: 'a color like #1e90ff' };
    case 'aspect_ratio':
      return { type: 'string', pattern: RATIO, description: 'a ratio like 16:9' };
    case 'image_loader':
      return { type: 'string', pattern: IMAGE, description: 'an http(s) URL or the id of an asset' };
    default:
      return { type: 'string', ...(isRequired(field) ? { minLength: 1 } : {}) };
  }
}

function numberSchema({ constraints, input_type }: FormField): JsonSchema {
  const { min, max, step } = constraints ?? {};
  return {
    type: input_type === 'integer' ? 'integer' : 'number',
    ...(isNumber(min) ? { minimum: min } : {}),
    ...(isNumber(max) ? { maximum: max } : {}),
    ...(isNumber(step) && step > 0 ? stepSchema(min ?? 0, step) : {}),
  };
}

const stepSchema = (from: number, by: number): JsonSchema =>
  isMultiple(from, by) ? { multipleOf: by } : { 'x-step': { from, by } };

/** Whether a number is a whole multiple, as far as binary fractions can tell (0.3 is one of 0.1). */
export const isMultiple = (value: number, by: number): boolean =>
  Math.abs(value / by - Math.round(value / by)) < 1e-9 * Math.max(1, Math.abs(value / by));
