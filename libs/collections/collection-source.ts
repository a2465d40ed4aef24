import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import { openedSet } from '#libs/encryption/sealed-set.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import { EMPTY_INSTRUCTION_SET, type InstructionSet, type Variables } from '#libs/instruction-set/instruction-set.js';
import type { WorkflowVersion } from '#libs/workflows/stored-workflow.js';
import { openedBorrowed, type Borrowed } from './borrowed-set.js';
import type { CollectionRow } from './collection.js';
import type { ImageVariables } from './image-variables.js';
import type { OwnCollection } from './locked-collection.js';
import type { Origin } from './new-collection.js';

/** What a collection's further generations are made of. */
export interface CollectionSource {
  id: string;
  projectId: string;
  title: string | null;
  /** As its row keeps it; null: none. */
  data: InstructionSet | null;
  set: InstructionSet;
  /**
   * The version of the workflow that the set was made from: its form and its price still count. Null: the set
   * was written by hand, or is of an asset.
   */
  workflow: WorkflowVersion | null;
  /** Set: it is another's collection's set, at least in part. */
  borrowed: Borrowed | null;
  /** Set: it is encrypted, and so is what is made of it. */
  seal: CollectionSeal | null;
}

/** Where the sets of collections are found for those who submit and change them. */
export class CollectionSources {
  constructor(
    private readonly database: Queryable,
    private readonly keys: CollectionKeys,
    private readonly images: ImageVariables,
  ) {}

  /** Throws `COLLECTION_NOT_FOUND`. */
  find(own: OwnCollection): Promise<CollectionSource> {
    return findSource(this.database, this.keys, own);
  }

  /** What is wrong with the images of variables, at their places; `files` as in `ImageVariables`. */
  imageFaults(userId: string, variables: Variables, files: readonly string[] | null): Promise<FieldFault[]> {
    return this.images.faultsOf(userId, variables, { at: 'data.variables', files });
  }
}

type Row = Pick<CollectionRow, 'id' | 'project_id' | 'title' | 'data' | 'encryption_enabled'> & {
  origin: Origin | null;
  borrowed: Borrowed | null;
  workflow: Omit<WorkflowVersion, 'id' | 'version' | 'saved_by_admin'> | null;
};

/** One's own collection and where its set comes from. Throws `COLLECTION_NOT_FOUND`. */
export async function findSource(
  db: Queryable,
  keys: CollectionKeys,
  { userId, id }: OwnCollection,
): Promise<CollectionSource> {
  const [row] = await db.query<Row>(SOURCE, [id, userId]);
  if (!row) throw collectionNotFound();
  const seal = row.encryption_enabled ? await keys.of(id, db) : null;
  return {
    id: row.id,
    projectId: row.project_id,
    title: row.title,
    data: row.data,
    set: openedSet(seal, row.data) ?? EMPTY_INSTRUCTION_SET,
    workflow: workflowOf(row),
    borrowed: openedBorrowed(seal, row.borrowed),
    seal,
  };
}

function workflowOf({ origin, workflow }: Row): WorkflowVersion | null {
  if (!origin || !workflow) return null;
  const { workflow_id: id, workflow_version: version, saved_by_admin } = origin;
  return { id, version, saved_by_admin, ...workflow };
}

/** The newest entry that says where the set comes from is the one that counts. */
const SOURCE = `
  select c.id, c.project_id, c.title, c.data, c.encryption_enabled, h.origin, h.borrowed,
         case when v.version is not null then jsonb_build_object(
           'user_id', v.user_id, 'name', v.name, 'label', v.label, 'type', v.type,
           'output_mime_type', v.output_mime_type, 'data', v.data) end as workflow
    from collection c
    left join lateral (
      select data -> 'origin' as origin, data -> 'borrowed' as borrowed from collection_history
       where collection_id = c.id and data ? 'origin' order by id desc limit 1
    ) h on true
    left join workflow_version v
      on v.workflow_id = (h.origin ->> 'workflow_id')::uuid
     and v.version = (h.origin ->> 'workflow_version')::integer
   where c.id = $1 and c.user_id = $2`;
