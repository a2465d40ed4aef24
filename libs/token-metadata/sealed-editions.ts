import type { CollectionRow } from '#libs/collections/collection.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { Trait } from '#libs/nodes/node.js';

/** Editions with their traits as they are told: those of an encrypted collection were counted without being known. */
export async function openedEditions<Edition extends { traits: Trait[] }>(
  keys: CollectionKeys,
  { id, encryption_enabled }: Pick<CollectionRow, 'id' | 'encryption_enabled'>,
  editions: Edition[],
): Promise<Edition[]> {
  if (!encryption_enabled) return editions;
  const seal = await keys.of(id);
  return editions.map((edition) => ({ ...edition, traits: seal.openTraits(edition.traits) }));
}
