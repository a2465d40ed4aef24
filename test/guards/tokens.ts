import type { Guard } from './guard.js';

/** What everyone reads of a collection. */
export const tokenGuards: Guard[] = [
  {
    name: 'tokens: metadata of a draft are its owner’s',
    file: 'libs/token-metadata/token-collections.ts',
    find: "where id = $1 and (status = 'published' and not archived or user_id = $2)`",
    replace: 'where id = $1 and ($2::uuid is null or true)`',
    red: ['apps/api/collections/metadata.controller.spec.ts', 'test/api/tenants.spec.ts'],
  },
  {
    name: 'tokens: who leaves a zip ends its reading',
    file: 'libs/token-metadata/token-archive.ts',
    find: "return zip.once('close', () => reading.abort());",
    replace: 'return zip;',
    red: ['libs/token-metadata/token-archive.spec.ts', 'apps/api/collections/metadata.controller.spec.ts'],
  },
  {
    name: 'tokens: a lacking trait counts for rarity',
    file: 'libs/token-metadata/ranked-editions.ts',
    find: 'case when holders < n then ln(n / (n - holders)) else 0 end as lacking',
    replace: '0::float8 as lacking',
    red: ['libs/token-metadata/ranked-editions.spec.ts'],
  },
  {
    name: 'tokens: a distribution lets others work',
    file: 'libs/instruction-set/distribution.ts',
    find: 'if ((i + 1) % atOnce === 0) await setImmediate();',
    replace: 'if (i < 0) await setImmediate(atOnce);',
    red: ['libs/instruction-set/distribution.spec.ts'],
  },
];
