import type { Guard } from './guard.js';

/** What keeps files whole, and what is known of them true. */
export const storageGuards: Guard[] = [
  {
    name: 'storage: blocks of two uploads never mix',
    file: 'libs/storage/azure.storage.ts',
    find: 'Buffer.from(`${upload}-${',
    replace: "Buffer.from(`${'one'.padEnd(upload.length)}-${",
    red: ['libs/storage/azure-bad-days.spec.ts'],
  },
  {
    name: 'storage: the server checks what came',
    file: 'libs/storage/azure-client.ts',
    find: 'pipeline.factories.push(digests);',
    replace: '',
    red: ['libs/storage/azure.storage.spec.ts'],
  },
  {
    name: 'storage: an upload in parts ends with its digest',
    file: 'libs/storage/gcs-upload.ts',
    find: ', ...hash };',
    replace: ' };',
    red: ['libs/storage/gcs-bad-days.spec.ts'],
  },
  {
    name: 'storage: no download mixes two versions',
    file: 'libs/storage/bucket-storage.ts',
    find: '{ signal, version });',
    replace: '{ signal });',
    red: ['libs/storage/azure-bad-days.spec.ts', 'libs/storage/gcs-bad-days.spec.ts'],
  },
  {
    name: 'storage: a server that is silent is given up',
    file: 'libs/storage/cloud-requests.ts',
    find: "sent.on('timeout'",
    replace: "sent.on('patience'",
    red: ['libs/storage/gcs-bad-days.spec.ts'],
  },
  {
    name: 'storage: a file is missing only if the storage says so',
    file: 'libs/assets/missing-files.ts',
    find: 'await storage.stat(storage_key);',
    replace: 'await storage.stat(storage_key).catch(() => null);',
    red: ['libs/assets/missing-files.spec.ts'],
  },
  {
    name: 'storage: nothing of a file that is known to be cut',
    file: 'apps/api/assets/files.controller.ts',
    find: 'if (part && asset.is_missing) await this.assertBack(asset);',
    replace: '',
    red: ['apps/api/assets/files.controller.spec.ts'],
  },
];
