import type { Guard } from './guard.js';

const MAKER = 'libs/previews/thumbnail-maker.spec.ts';
const FILES = 'apps/api/assets/files.controller.spec.ts';
const PREVIEWS = 'libs/previews/collection-previews.spec.ts';

/** What is made of finished files, beside the road, and who sees it. */
export const previewGuards: Guard[] = [
  {
    name: 'previews: a file is one worker\'s at a time',
    file: 'libs/previews/thumbnail-rows.ts',
    find: "thumbnail_due = now() + interval '5 minutes',",
    replace: '',
    red: [MAKER],
  },
  {
    name: 'previews: what ends its worker is not tried for ever',
    file: 'libs/previews/thumbnail-maker.ts',
    find: 'if (file.attempts > MAX_ATTEMPTS) throw',
    replace: 'if (file.attempts < 0) throw',
    red: [MAKER],
  },
  {
    name: 'previews: they take only time that nobody else wants',
    file: 'libs/previews/thumbnail-child.mjs',
    find: '\ngiveWay();\n',
    replace: '\n',
    red: [MAKER],
  },
  {
    name: 'previews: a thumbnail is seen by whoever sees its file',
    file: 'libs/assets/asset-queries.ts',
    find: 'and ($2::text is null or f.thumbnails ? $2::text) and ${VISIBLE}',
    replace: 'and ($2::text is null or f.thumbnails ? $2::text)',
    red: [FILES],
  },
  {
    name: 'previews: the address of a thumbnail does not open its file',
    file: 'libs/assets/file-urls.ts',
    find: 'return found ? `${found.of} thumbnails` : key;',
    replace: 'return found ? found.of : key;',
    red: ['libs/assets/file-urls.spec.ts'],
  },
  {
    name: 'previews: thumbnails go with their file',
    file: 'libs/assets/asset-removal.ts',
    find: 'if (pictured) for',
    replace: 'if (!storage_key) for',
    red: ['libs/assets/asset-removal.spec.ts'],
  },
  {
    name: 'previews: thumbnails of a file that is there are no orphans',
    file: 'libs/assets/orphaned-files.ts',
    find: 'variantAt(key)?.of ?? key)],',
    replace: 'key)],',
    red: ['libs/assets/orphaned-files.spec.ts'],
  },
  {
    name: 'previews: a cover is chosen when the jobs of its collection have ended',
    file: 'libs/previews/collection-previews.ts',
    find: "j.status in ('pending', 'processing'))",
    replace: "j.status = 'none')",
    red: [PREVIEWS],
  },
  {
    name: 'previews: a job that wants no thumbnails gets none',
    file: 'libs/assets/asset-rows.ts',
    find: "is distinct from 'false' then",
    replace: "is distinct from 'null' then",
    red: ['apps/worker/generation-worker.spec.ts'],
  },
  {
    name: 'collections: none is published before its date',
    file: 'libs/collections/publication.ts',
    find: 'if (is?.due) await publish',
    replace: 'if (is) await publish',
    red: ['apps/api/collections/collection-life.controller.spec.ts'],
  },
];
