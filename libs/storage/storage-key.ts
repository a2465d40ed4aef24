const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_LENGTH = 500;

/**
 * Whether `key` is one: segments of `[A-Za-z0-9._-]` joined by `/`. No segment begins with a dot, which
 * rules out `..` and leaves hidden names to the drivers' temporary files.
 */
export const isStorageKey = (key: string): boolean =>
  key.length <= MAX_LENGTH && key.split('/').every((segment) => SEGMENT.test(segment));

/** A key outside the grammar reached a driver: a bug or an attack, never a missing object. */
export class InvalidStorageKey extends Error {
  constructor() {
    super('Not a storage key');
    this.name = 'InvalidStorageKey';
  }
}

export function assertStorageKey(key: string): void {
  if (!isStorageKey(key)) throw new InvalidStorageKey();
}
