import type { InstructionSet, Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import type { CollectionSeal, Opener } from './collection-seal.js';

/** Where a set stands: in its collection, in each job, and in what is kept of the files that it made. */
const PLACE = 'set';
/** What the variables are in one edition. */
export const VALUES = 'values';
/** The texts that may name files of whoever submitted it. */
export const FILES = 'files';
/** How its steps' work was done. */
export const MADE = 'made';
/** What other hosts gave to its steps. */
export const FETCHED = 'fetched';

/**
 * A set as rows keep it. In the clear are how many steps it has, which the database counts with, its hashes, which
 * are its generations', and which versions of workflows it is bound to.
 */
export function storedSet(seal: CollectionSeal | null | undefined, set: InstructionSet): InstructionSet {
  if (!seal) return set;
  const { generations, workflows, ...hidden } = set;
  const clear = { ...(workflows && { workflows }), generations, steps: set.steps.map(() => null) };
  return { ...clear, ...seal.close(hidden as unknown as Json, PLACE) } as unknown as InstructionSet;
}

/** As it was. */
export const openedSet = <Stored extends InstructionSet | null>(seal: CollectionSeal | null, stored: Stored): Stored =>
  seal && stored ? (seal.openMembers(stored as unknown as JsonObject, PLACE) as unknown as Stored) : stored;

/** `gen_in_data` of an asset: the set, and what other hosts gave to it. */
export function openedGenIn(opener: Opener, { fetched, ...set }: JsonObject): JsonObject {
  return { ...opener.openMembers(set, PLACE), ...(fetched !== undefined && { fetched: opener.open(fetched, FETCHED) }) };
}

/** `gen_out_data` of an asset. */
export const openedGenOut = (opener: Opener, { variables = null, traits, made, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  ...(made !== undefined && { made: opener.open(made, MADE) }),
  variables: opener.open(variables, VALUES),
  traits: opener.openTraits((traits ?? []) as unknown as Trait[]) as unknown as Json,
});
