import type { Trait } from '#libs/nodes/node.js';
import type { Json, JsonObject, VariableDefinition, Variables } from './instruction-set.js';
import { randomStream, SeededRandom } from './random.js';

export { checkVariables } from './check-variables.js';

/**
 * What the variables are for the edition of `hash`. A record is the same for every edition. Of a list:
 *
 * - `fixed` takes its first value, `pick` one of them, `weighted_pick` one in proportion to its weight;
 * - `range` is `[min, max]`, any number from min up to but without max, or `[min, max, step]`, one of min,
 *   min + step, … up to max;
 * - `lock_value` takes `test_value` (without one, the first value) in every edition.
 *
 * What is picked depends on the hash and the variable's name only. It becomes a trait, by its display name
 * where there is one; a `fixed` value tells editions apart in nothing and is none.
 */
export function resolveVariables(
  variables: Variables,
  hash: string,
): { values: JsonObject; traits: Trait[] } {
  if (!Array.isArray(variables)) return { values: structuredClone(variables), traits: [] };
  const picked = variables.map((definition) => ({ definition, value: valueOf(definition, hash) }));
  return {
    values: Object.fromEntries(
      picked.map(({ definition, value }) => [definition.name, structuredClone(value)]),
    ),
    traits: picked.flatMap(({ definition, value }) => traitOf(definition, value)),
  };
}

function valueOf({ name, type, value, lock_value, test_value }: VariableDefinition, hash: string): Json {
  const { values, weights = [] } = value;
  const first = values[0] as Json;
  if (lock_value) return test_value ?? first;
  const random = new SeededRandom(randomStream(hash, `variable:${name}`));
  switch (type) {
    case 'fixed':
      return first;
    case 'pick':
      return random.pick(values);
    case 'weighted_pick':
      return random.weightedPick(values, weights);
    case 'range':
      return numberInRange(random, values as number[]);
  }
}

function numberInRange(random: SeededRandom, [min = 0, max = 0, step]: number[]): number {
  if (step === undefined) return min + random.number() * (max - min);
  // Sums of decimal steps are a hair off (0.30000000000000004), which would show in traits.
  const steps = Math.floor(Number(((max - min) / step).toPrecision(12)));
  return Number((min + random.integer(0, steps) * step).toPrecision(12));
}

function traitOf({ name, type, value }: VariableDefinition, picked: Json): Trait[] {
  if (type === 'fixed') return [];
  const shown = type === 'range' ? undefined : value.display_names?.[value.values.indexOf(picked)];
  const traitValue = shown ?? picked;
  if (traitValue === null || typeof traitValue === 'object') return [];
  return [{ trait_type: name, value: traitValue }];
}
