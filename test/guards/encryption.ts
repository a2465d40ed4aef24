import type { Guard } from './guard.js';

const ROAD = 'apps/api/collections/encrypted-collections.spec.ts';
const FRAMES = 'libs/encryption/sealed.storage.spec.ts';
const GENERATIONS = 'libs/generations/sealed-generations.spec.ts';
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
  {
    name: 'encryption away: a claim without a collection',
    file: 'libs/generations/claims.ts',
    find: "  if (row.collection_id === null) throw new KeyUnavailable(`The collection of job ${row.job_id} is gone, and its key with it`);\n",
    replace: '  if (row.collection_id === null) return stateOf(row);\n',
    red: [GENERATIONS],
  },
  {
    name: 'encryption away: nothing is resumed without its key',
    file: 'libs/generations/job-control.ts',
    find: '        if (isLost(change)) throw invalidJobStatus(LOST);\n',
    replace: '',
    red: [GENERATIONS],
  },
  {
    name: 'encryption away: a claim ends before its lease',
    file: 'libs/generations/claims.ts',
    find: 'return await Promise.race([key, late]);',
    replace: 'return await Promise.race([key, late.catch(() => key)]);',
    red: [GENERATIONS],
  },
  {
    name: 'encryption away: a break that comes late counts',
    file: 'libs/generations/postgres-generation-store.ts',
    find: 'await this.database.query(COUNT_LATE_BREAK, [lease.generationId, lease.number]);',
    replace: '',
    red: [GENERATIONS],
  },
  {
    name: "encryption away: others' webhooks go on",
    file: 'libs/deliveries/delivery-rows.ts',
    find: 'if (opened) return dueDelivery(opened);',
    replace: 'return opened && dueDelivery(opened);',
    red: ['libs/deliveries/delivery-rows.spec.ts'],
  },
  {
    name: 'encryption away: no transaction waits for another connection',
    file: 'libs/encryption/collection-keys.ts',
    find: 'if (!tx) return (await',
    replace: 'if (!tx || this.management) return (await',
    red: ['libs/encryption/collection-keys.spec.ts'],
  },
  {
    name: 'encryption away: a rotation goes on',
    file: 'libs/encryption/collection-keys.ts',
    find: 'if (error instanceof KeyUnavailable) return false;',
    replace: '',
    red: ['src/commands/rotate-keys.spec.ts'],
  },
  {
    name: "encryption: strangers read traits of a file's provenance",
    file: 'libs/provenance/made-asset.ts',
    find: 'return { traits: opener.openTraits(outcome.traits ?? []) };',
    replace: 'return { traits: opener && outcome.traits };',
    red: [ROAD],
  },
];
