import type { Guard } from './guard.js';

const ROAD = 'apps/api/collections/encrypted-collections.spec.ts';
const FRAMES = 'libs/encryption/sealed.storage.spec.ts';
const SEAL = 'libs/encryption/collection-seal.spec.ts';

/** What lies encrypted, and who may see it. */
export const encryptionGuards: Guard[] = [
  {
    name: 'encryption: outputs and logs of steps',
    file: 'libs/generations/sealed-steps.ts',
    find: '  if (!seal) return given;',
    replace: '  if (seal || !seal) return given;',
    red: [ROAD],
  },
  {
    name: 'encryption: what events tell',
    file: 'libs/events/sealed-events.ts',
    find: '  if (!seal) return detail;',
    replace: '  if (seal || !seal) return detail;',
    red: [ROAD],
  },
  {
    name: 'encryption: what a failure quotes',
    file: 'libs/encryption/sealed-error.ts',
    find: 'seal ? (seal.closeMembers(error as JsonObject, CLEAR, PLACE) as unknown as Failure) : error',
    replace: 'error',
    red: [ROAD],
  },
  {
    name: 'encryption: answers that are kept for retries',
    file: 'apps/api/http/idempotency.ts',
    find: 'sealed ? this.sealed(keyed, answer) : answer',
    replace: 'answer',
    red: [ROAD],
  },
  {
    name: 'encryption: bytes of files',
    file: 'libs/encryption/sealed.storage.ts',
    find: 'return this.inner.put(key, frames, options);',
    replace: 'frames.destroy();\n    return this.inner.put(key, source, options);',
    red: [ROAD, FRAMES],
  },
  {
    name: 'encryption: a file is not cut off',
    file: 'libs/encryption/frames.ts',
    find: 'nonce.writeUInt8(isLast ? 1 : 0, 11);',
    replace: 'nonce.writeUInt8(0, 11);',
    red: [FRAMES],
  },
  {
    name: 'encryption: no bucket gives the file',
    file: 'libs/encryption/sealed.storage.ts',
    find: 'return this.collectionOf(key) === null ? this.inner.signedUrl(key, options) : null;',
    replace: 'return this.inner.signedUrl(key, options);',
    red: [FRAMES],
  },
  {
    name: 'encryption: no CDN gives the file',
    file: 'libs/assets/file-urls.ts',
    find: 'cdnBaseUrl && !isServedHere',
    replace: 'cdnBaseUrl && (isServedHere || !isServedHere)',
    red: ['libs/assets/file-urls.spec.ts'],
  },
  {
    name: 'encryption: what is sealed opens in its own collection and place only',
    file: 'libs/encryption/collection-seal.ts',
    find: 'return `${this.collectionId}/${place}`;',
    replace: "return place && '';",
    red: [SEAL],
  },
  {
    name: 'encryption: the set is the owner’s alone',
    file: 'libs/collections/collections.ts',
    find: '    if (!row.encryption_enabled) return',
    replace: '    if (row.encryption_enabled || !row.encryption_enabled) return',
    red: [ROAD],
  },
  {
    name: 'encryption: nobody else copies it',
    file: 'libs/collections/remix.ts',
    find: '\n     and not encryption_enabled))`',
    replace: '))`',
    red: [ROAD],
  },
];
