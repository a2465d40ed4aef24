import type { Guard } from './guard.js';

const LIFE = 'apps/api/collections/collection-life.controller.spec.ts';
const CHANGES = 'apps/api/collections/collections.controller.spec.ts';
const REMIX = 'apps/api/collections/remix.spec.ts';
const TENANTS = 'test/api/tenants.spec.ts';

/** What becomes of a collection, and whose of its parts are whose. */
export const collectionGuards: Guard[] = [
  {
    name: 'collections: whose is published, archived, changed and removed',
    file: 'libs/collections/locked-collection.ts',
    find: 'where id = $1 and user_id = $2 for update',
    replace: 'where id = $1 and $2::uuid is not null for update',
    red: [TENANTS],
  },
  {
    name: 'collections: nobody else changes it meanwhile',
    file: 'libs/collections/locked-collection.ts',
    find: 'user_id = $2 for update',
    replace: 'user_id = $2',
    red: [LIFE],
  },
  {
    name: 'collections: whose history is read',
    file: 'libs/collections/collection-history.ts',
    find: "'select encryption_enabled from collection where id = $1 and user_id = $2'",
    replace: "'select encryption_enabled from collection where id = $1 and $2::uuid is not null'",
    red: [TENANTS],
  },
  {
    name: 'collections: pages of history have a size',
    file: 'libs/collections/collection-history.ts',
    find: 'over newest <= $4::integer as fits',
    replace: 'over newest >= $4::integer * 0 as fits',
    red: [LIFE],
  },
  {
    name: 'collections: drafts and archived ones are in no public list',
    file: 'libs/collections/collection-lists.ts',
    find: "status = 'published' and not archived and ${",
    replace: 'true and ${',
    red: [CHANGES],
  },
  {
    name: 'collections: none is published without a finished edition',
    file: 'libs/collections/publication.ts',
    find: "and g.status = 'completed') as made",
    replace: ') as made',
    red: [LIFE],
  },
  {
    name: 'collections: none is removed under an open job',
    file: 'libs/collections/collection-removal.ts',
    find: 'if (open.length > 0) throw',
    replace: 'if (open.length < 0) throw',
    red: [LIFE],
  },
  {
    name: 'collections: files go with their collection',
    file: 'libs/collections/collection-removal.ts',
    find: 'update flat_file set deleted_at = now() where',
    replace: 'update flat_file set deleted_at = null where',
    red: [LIFE],
  },
  {
    name: "collections: a set written by hand has no workflow's price",
    file: 'libs/collections/collection-updates.ts',
    find: 'return { origin: null, ...',
    replace: 'return { ...',
    red: [CHANGES],
  },
  {
    name: 'collections: editions never fall below what is made',
    file: 'libs/collections/collection-updates.ts',
    find: 'if (metadata.editions) await reserveEditions(tx, own, []);',
    replace: '',
    red: [CHANGES],
  },
  {
    name: 'collections: what may be remixed',
    file: 'libs/collections/remix.ts',
    find: "(remixable and status = 'published' and not archived\n",
    replace: '(remixable\n',
    red: [REMIX],
  },
  {
    name: "collections: a remix is no way into another's private workflow",
    file: 'libs/collections/remix.ts',
    find: "(visibility = 'public' or user_id = $2)",
    replace: '$2::uuid is not null',
    red: [REMIX],
  },
  {
    name: "collections: a remixed set does not name the remixer's files",
    file: 'libs/submission/generate-editions.ts',
    find: 'options: source.borrowed\n',
    replace: 'options: !source\n',
    red: [REMIX],
  },
  {
    name: "collections: nor after it was edited",
    file: 'libs/collections/borrowed-set.ts',
    find: 'allowed.has(name) || !known.has(name)',
    replace: 'allowed.has(name) || name !== known.toString()',
    red: [REMIX],
  },
  {
    name: "collections: nor that of a draft of another's asset",
    file: 'libs/collections/drafts.ts',
    find: 'isOwn ? borrowedIn(this.database, asset, this.keys) : borrow(this.database, asset.collection_id, set);',
    replace: 'isOwn ? borrowedIn(this.database, asset, this.keys) : null;',
    red: [REMIX],
  },
  {
    name: "collections: another's set does not refer to the submitter's drafts",
    file: 'libs/generations/postgres-generation-store.ts',
    find: 'const asWhom = files ? null : userId;',
    replace: 'const asWhom = userId;',
    red: ['libs/generations/postgres-generation-store.spec.ts'],
  },
];
