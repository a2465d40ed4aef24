import type { KeywordDefinition, ValidateFunction } from 'ajv';
import type { FieldFault } from '#libs/errors/app-error.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { createValidator, schemaFaults } from '#libs/instruction-set/json-schema.js';
import { formSchema, isMultiple } from './form-schema.js';
import {
  fieldsOf, hasDefault, isNumeric, isRequired, isText, type AuthoredForm, type FormField,
} from './form.js';
import { SYSTEM_NAMES } from './system-values.js';

export interface ValidateOptions {
  /** Names beside the form's that are known, and dropped. Default `SYSTEM_NAMES`. */
  systemNames?: readonly string[];
  /** What the faults' paths begin with. */
  at?: string;
}

export interface ValidatedVariables {
  /** The form's fields that have a value: submitted or default. */
  values: JsonObject;
  /** All at once, as `variables.<field>`. With faults, `values` is not to be used. */
  faults: FieldFault[];
}

const X_STEP: KeywordDefinition = {
  keyword: 'x-step',
  type: 'number',
  validate: ({ from, by }: { from: number; by: number }, value: number) => isMultiple(value - from, by),
  error: { message: ({ schema }) => `must be ${schema.from} and steps of ${schema.by}` },
};
const validators = new WeakMap<AuthoredForm, ValidateFunction>();

/**
 * Checks submitted variables against a form: types, ranges, steps, choices, what is required, unknown names.
 * Fills in defaults; takes `"20"` as 20 where the field is a number. `null` counts as not given, and so does
 * an empty text where the field is no text or requires one.
 */
export function validateVariables(
  form: AuthoredForm | null | undefined,
  submitted: JsonObject,
  { systemNames = SYSTEM_NAMES, at = 'variables' }: ValidateOptions = {},
): ValidatedVariables {
  const fields = new Map(fieldsOf(form).map((field) => [field.id, field]));
  const known = Object.entries(submitted).filter(([name]) => fields.has(name) || !systemNames.includes(name));
  const preset = fieldsOf(form).filter(hasDefault).map((field) => [field.id, field.default as Json] as const);
  const values: JsonObject = {};
  for (const [name, raw] of [...preset, ...known]) {
    const value = readValue(fields.get(name), raw);
    if (value !== null) values[name] = value;
  }
  const validate = validatorOf(form ?? NO_FORM);
  const faults = validate(values) ? [] : schemaFaults(validate);
  return { values, faults: faults.map(({ field, message }) => ({ field: joinPath(at, field), message })) };
}

const NO_FORM: AuthoredForm = { fields: [] };

function readValue(field: FormField | undefined, value: Json): Json {
  if (!field || typeof value !== 'string') return idAsText(field, value);
  if (value === '' && (isRequired(field) || !isText(field))) return null;
  return wantsNumber(field) ? (asNumber(value) ?? value) : value;
}

/** An asset's id may come as the number it looks like. */
const idAsText = (field: FormField | undefined, value: Json): Json =>
  field?.type === 'image_loader' && Number.isSafeInteger(value) ? String(value) : value;

/** Of choices only those that are all numbers take a text for one: "1" may itself be a choice. */
const wantsNumber = (field: FormField): boolean =>
  field.options?.length ? field.options.every(({ value }) => typeof value === 'number') : isNumeric(field);

/** Decimal notation only: no hex, no `Infinity`, nothing blank. */
const asNumber = (text: string): number | undefined =>
  DECIMAL.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
const DECIMAL = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/;

function validatorOf(form: AuthoredForm): ValidateFunction {
  const known = validators.get(form);
  if (known) return known;
  // An ajv keeps all that it compiled for ever: each form has one of its own, which goes with it.
  const ajv = createValidator({ meta: false, validateSchema: false }).addKeyword(X_STEP);
  const validate = ajv.compile(formSchema(form));
  validators.set(form, validate);
  return validate;
}
