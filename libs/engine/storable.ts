import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';

/** Traits of one step that are kept, and characters of a name or value. */
const MAX_TRAITS = 200;
const MAX_TRAIT_LENGTH = 1_000;

/**
 * Text as Postgres takes it: U+0000 and lone surrogates, which neither `text` nor `jsonb` can hold, become
 * U+FFFD. What a node says must never keep its own failure from being recorded.
 */
export const storableText = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');

/** The same for every text and key of a value. What JSON does not know is left out, as `JSON.stringify` does. */
export function storableJson(value: unknown): Json {
  const text = JSON.stringify(value) ?? 'null';
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part === 'string') return storableText(part);
    return isRecord(part) ? withStorableKeys(part) : part;
  }) as Json;
}

export const storableTraits = (traits: readonly Trait[]): Trait[] =>
  traits.slice(0, MAX_TRAITS).map(({ trait_type, value }) => ({
    trait_type: storableText(trait_type).slice(0, MAX_TRAIT_LENGTH),
    value: typeof value === 'string' ? storableText(value).slice(0, MAX_TRAIT_LENGTH) : value,
  }));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withStorableKeys = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([key, member]) => [storableText(key), member]));
