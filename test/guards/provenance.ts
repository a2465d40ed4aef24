import type { Guard } from './guard.js';

const PROVENANCE = 'apps/api/provenance/provenance.controller.spec.ts';
const VARIABLES = 'apps/api/collections/variables.controller.spec.ts';
const SHEETS = 'libs/variable-sheets/variable-sheets.spec.ts';
const TENANTS = 'test/api/tenants.spec.ts';
const REMIX = 'apps/api/collections/remix.spec.ts';

/** How files were made and are made again, and what variables may name. */
export const provenanceGuards: Guard[] = [
  {
    name: 'provenance: strangers learn what the public view tells',
    file: 'libs/provenance/provenance.ts',
    find: 'if (!isOwn && !maySeeOrigin(made.asset, viewer)) return publicPart(made);',
    replace: '',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: the record of inputs is their owner’s',
    file: 'libs/assets/asset-queries.ts',
    find: 'const { made: _made, ...open } = gen_out_data;',
    replace: 'const open = gen_out_data;',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: whose re-render is told',
    file: 'libs/provenance/rerender-verdict.ts',
    find: 'where j.user_id = $1 and r.asset_id = $2',
    replace: 'where $1::uuid is not null and r.asset_id = $2',
    red: [TENANTS],
  },
  {
    name: 'provenance: nobody outside is asked again',
    file: 'libs/provenance/obstacles.ts',
    find: 'if (own.asksOutside) {',
    replace: 'if (own.step.nodeName === "") {',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: what was apart is not run again',
    file: 'libs/provenance/rerender.ts',
    find: 'await tx.query(LEAVE_OUT, [generation?.id, left]);',
    replace: '',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: an edition keeps its place',
    file: 'libs/provenance/rerender.ts',
    find: "await tx.query('update generation set index = $2 where id = $1', [generation?.id, index]);",
    replace: 'void index;',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: stored bytes are read, not believed',
    file: 'libs/provenance/rerender-verdict.ts',
    find: 'const stored = await this.digest(row.storage_key);',
    replace: 'const stored = { sha256: row.sha256, size: 1 };',
    red: [PROVENANCE],
  },
  {
    name: 'provenance: what is known of an encrypted file is sealed',
    file: 'libs/generations/sealed-steps.ts',
    find: 'seal ? seal.close(made as unknown as Json, MADE) : made',
    replace: 'made',
    red: [PROVENANCE],
  },
  {
    name: 'variables: no cell is a formula',
    file: 'libs/variable-sheets/cells.ts',
    find: '(GUARDED.test(text) ? `\'${text}` : text)',
    replace: 'text',
    red: [SHEETS],
  },
  {
    name: 'variables: images are one’s own or public',
    file: 'libs/collections/image-variables.ts',
    find: 'return FILE.test(value) ? kindFault(found.get(value)?.mimeType) : this.urls.faultOf(value);',
    replace: 'return FILE.test(value) ? null : this.urls.faultOf(value);',
    red: [VARIABLES],
  },
  {
    name: 'variables: a change that comes between is not lost',
    file: 'libs/collections/collection-updates.ts',
    find: 'if (basedOn !== undefined && !isDeepStrictEqual(before.data, basedOn)) throw new ChangedMeanwhile();',
    replace: 'void basedOn;',
    red: [VARIABLES],
  },
  {
    name: 'collections: what was another’s stays another’s in a draft of one’s own file',
    file: 'libs/collections/borrowed-set.ts',
    find: 'if (!job?.files) return null;',
    replace: 'if (job) return null;',
    red: [REMIX],
  },
];
