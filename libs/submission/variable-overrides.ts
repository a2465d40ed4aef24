import type { FieldFault } from '#libs/errors/app-error.js';
import { namesOf } from '#libs/instruction-set/check.js';
import type {
  Json, JsonObject, VariableDefinition, Variables,
} from '#libs/instruction-set/instruction-set.js';
import { checkVariables } from '#libs/instruction-set/variables.js';

/** Variables with each of `values` in place of that name's: in a list it is the same in every edition. */
export function replaceVariables(variables: Variables, values: JsonObject): Variables {
  if (!Array.isArray(variables)) return { ...variables, ...values };
  return variables.map((definition) =>
    Object.hasOwn(values, definition.name) ? fixed(definition, values[definition.name] as Json) : definition,
  );
}

/** What is unknown or of another type among `submitted`, at `variables.<name>`. */
export function overrideFaults(variables: Variables, submitted: JsonObject): FieldFault[] {
  const known = new Set(namesOf(variables));
  const unknown = Object.keys(submitted).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => fault(name, 'is not a variable of this collection')),
    ...typeFaults(variables, submitted),
  ];
}

const fixed = ({ name, value_type }: VariableDefinition, value: Json): VariableDefinition => ({
  name,
  type: 'fixed',
  value_type,
  value: { values: [value] },
});

/** Only a list says what type a value has. */
function typeFaults(variables: Variables, submitted: JsonObject): FieldFault[] {
  if (!Array.isArray(variables)) return [];
  return variables
    .filter(({ name }) => Object.hasOwn(submitted, name))
    .flatMap((definition) => {
      const replaced = replaceVariables([definition], submitted);
      return checkVariables(replaced).map(({ message }) => fault(definition.name, message));
    });
}

const fault = (name: string, message: string): FieldFault => ({ field: `variables.${name}`, message });
