import type { Database, Transaction } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { collectionNotFound, fieldError } from '#libs/errors/errors.js';
import type { Caller } from '#libs/identity/caller.js';
import type { StepNodes, StepWorkflows } from '#libs/workflows/step-workflows.js';
import { authorOf, type WorkflowVersion } from '#libs/workflows/stored-workflow.js';
import { borrow } from './borrowed-set.js';
import type { CollectionMetadata } from './collection-metadata.js';
import { findSource } from './collection-source.js';
import { collectionView, type CollectionRow, type CollectionView } from './collection.js';
import { componentIdOf, withComponentIds } from './drafts.js';
import { createCollection, originOf, type NewCollection } from './new-collection.js';
import { Reservations } from './reservations.js';

/** Copies collections: one's own, and others' that are published and remixable. */
export class CollectionRemixes {
  constructor(
    private readonly database: Database,
    private readonly stepWorkflows: StepWorkflows,
    private readonly keys: CollectionKeys,
  ) {}

  /**
   * A draft with the set of the collection. It stays a set of its workflow, with the form and the price of that,
   * where the caller may use the workflow, too; else it is a set of its steps. Of an encrypted one it is encrypted,
   * too, and nobody else's. Throws `COLLECTION_NOT_FOUND`,
   * `PROJECT_NOT_FOUND`, 400 when it has steps that the caller may not use.
   */
  async prepare(caller: Caller, id: string, projectId: string | null): Promise<NewCollection> {
    const { userId } = caller;
    const [collection] = await this.database.query<CollectionRow>(REMIXABLE, [id, userId]);
    if (!collection) throw collectionNotFound();
    const { set, workflow, borrowed } = await findSource(this.database, this.keys, { userId: collection.user_id, id });
    const usable = workflow && (await this.mayUse(userId, workflow)) ? workflow : null;
    const { registry } = await this.nodesOf(set.steps, usable, caller);
    if (set.steps.some(({ nodeName }) => !registry.find(nodeName))) {
      throw fieldError('id', 'has steps that you may not use');
    }
    const reserved = await new Reservations(this.database, this.keys).reserve({
      userId, projectId, steps: set.steps.length, encrypted: collection.encryption_enabled,
    });
    const isOwn = collection.user_id === userId;
    return {
      userId,
      ...reserved,
      data: withComponentIds(set, reserved.componentIds, registry),
      inherits: set.steps.map(({ id: stepId }) => componentIdOf(stepId)),
      metadata: copiedMetadata(collection),
      autoPublish: false,
      origin: usable && originOf(usable),
      borrowed: isOwn ? borrowed : await borrow(this.database, id, set),
    };
  }

  async commit(tx: Transaction, remix: NewCollection): Promise<CollectionView> {
    return collectionView(await createCollection(tx, remix), []);
  }

  /** What came of a workflow may name what its author may use. */
  private nodesOf(
    steps: NewCollection['data']['steps'],
    workflow: WorkflowVersion | null,
    caller: Caller,
  ): Promise<StepNodes> {
    if (!workflow) return this.stepWorkflows.find(steps, caller);
    return this.stepWorkflows.find(steps, authorOf(workflow), [workflow]);
  }

  /** Its steps run with the secrets of their author: not for those to whom the workflow is closed. */
  private async mayUse(userId: string, { id }: WorkflowVersion): Promise<boolean> {
    const open = await this.database.query(
      `select from workflow where id = $1 and (visibility = 'public' or user_id = $2)`,
      [id, userId],
    );
    return open.length > 0;
  }
}

const copiedMetadata = (row: CollectionRow): CollectionMetadata => ({
  title: row.title,
  description: row.description,
  editions: row.editions,
  blockchain: row.blockchain,
});

const REMIXABLE = `
  select * from collection
   where id = $1 and (user_id = $2 or (remixable and status = 'published' and not archived
     and not encryption_enabled))`;
