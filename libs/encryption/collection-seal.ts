import { createHmac } from 'node:crypto';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { Trait } from '#libs/nodes/node.js';
import { decrypt, derivedKey, encrypt } from './aes-gcm.js';

/** JSON in place of what it hides. Members beside it are in the clear; those inside go before them. */
export interface Sealed {
  /** Base64. */
  $enc: string;
}

export const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && '$enc' in value;

/** What stands for a name, or for a part of a trait, begins with this. */
const SEALED_TEXT = '$enc:';
export const isSealedName = (name: string): boolean => name.startsWith(SEALED_TEXT);

const SYNTHETIC_NONCE_BYTES = 12;

/** Opens what rows hold of one encrypted collection. `place` says which column of whose row it is. */
export interface Opener {
  /** Throws when it is not what was sealed there. */
  open(sealed: Json, place: string): Json;
  /** An object as it was before `closeMembers`. */
  openMembers(stored: JsonObject, place: string): JsonObject;
  openTraits<Counted extends Trait>(traits: Counted[]): Counted[];
  openName(sealed: string): string | null;
}

/**
 * The data key of one collection, at work: AES-256-GCM, bound to the collection and to the place of the row, so that
 * what is moved elsewhere does not open. Sealed JSON is JSON again.
 */
export class CollectionSeal implements Opener {
  private readonly rows: Buffer;
  private readonly names: Buffer;
  private readonly nonces: Buffer;
  /** What the keys of its files are made of. */
  readonly files: Buffer;

  constructor(
    dataKey: Buffer,
    readonly collectionId: string,
  ) {
    this.rows = derivedKey(dataKey, 'rows');
    this.names = derivedKey(dataKey, 'names');
    this.nonces = derivedKey(dataKey, 'nonces of names');
    this.files = derivedKey(dataKey, 'files');
  }

  close(value: Json, place: string): JsonObject & Sealed {
    return { $enc: encrypt(this.rows, JSON.stringify(value), this.ownerOf(place)).toString('base64') };
  }

  open(sealed: Json, place: string): Json {
    if (!isSealed(sealed)) throw new Error(`What is in ${place} is not sealed`);
    return JSON.parse(decrypt(this.rows, Buffer.from(sealed.$enc, 'base64'), this.ownerOf(place)).toString()) as Json;
  }

  /** Seals all of an object but the members `clear`, which the database looks into. */
  closeMembers(object: JsonObject, clear: readonly string[], place: string): JsonObject & Sealed {
    const isClear = ([name]: [string, unknown]) => clear.includes(name);
    const members = Object.entries(object).filter(([, value]) => value !== undefined);
    const hidden = Object.fromEntries(members.filter((member) => !isClear(member)));
    return { ...Object.fromEntries(members.filter(isClear)), ...this.close(hidden, place) };
  }

  openMembers(stored: JsonObject, place: string): JsonObject {
    const { $enc, ...clear } = stored;
    return { ...clear, ...(this.open({ $enc } as JsonObject, place) as JsonObject) };
  }

  /**
   * Equal traits are equal when sealed, within the collection: the database counts them as they are. The nonce is a
   * keyed digest of the text, so that it never comes with another one.
   */
  closeTraits(traits: Trait[]): Trait[] {
    return traits.map(({ trait_type, value }) => ({
      trait_type: this.closeName(trait_type), value: this.closeName(JSON.stringify(value)),
    }));
  }

  openTraits<Counted extends Trait>(traits: Counted[]): Counted[] {
    return traits.map((trait) => ({
      ...trait,
      trait_type: this.openName(trait.trait_type),
      value: JSON.parse(this.openName(String(trait.value))) as Trait['value'],
    }));
  }

  /** A text in place of a text. */
  closeName(name: string): string {
    const nonce = createHmac('sha256', this.nonces).update(name).digest().subarray(0, SYNTHETIC_NONCE_BYTES);
    return SEALED_TEXT + encrypt(this.names, name, this.ownerOf('name'), nonce).toString('base64');
  }

  openName(sealed: string): string {
    if (!isSealedName(sealed)) throw new Error('A name is not sealed');
    const bytes = Buffer.from(sealed.slice(SEALED_TEXT.length), 'base64');
    return decrypt(this.names, bytes, this.ownerOf('name')).toString();
  }

  private ownerOf(place: string): string {
    return `${this.collectionId}/${place}`;
  }
}

/** Of a collection that was deleted, and its key with it: what is left of it in other rows says nothing any more. */
export const LOST: Opener = {
  open: () => null,
  openMembers: ({ $enc: _lost, ...clear }) => clear,
  openTraits: () => [],
  openName: () => null,
};
