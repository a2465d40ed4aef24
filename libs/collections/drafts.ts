import { findAsset, maySeeOrigin } from '#libs/assets/asset-queries.js';
import type { Database, Transaction } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldError, notFound, validationError } from '#libs/errors/errors.js';
import type { Caller } from '#libs/identity/caller.js';
import { readInstructionSet } from '#libs/instruction-set/check.js';
import { EMPTY_INSTRUCTION_SET, type InstructionSet, type JsonObject, type Step } from '#libs/instruction-set/instruction-set.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import { rewriteReferences } from '#libs/instruction-set/references.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { namedSteps, type StepWorkflows } from '#libs/workflows/step-workflows.js';
import { borrow, borrowedIn, type Borrowed } from './borrowed-set.js';
import { collectionView, type CollectionView } from './collection.js';
import type { CollectionMetadata } from './collection-metadata.js';
import type { ImageVariables } from './image-variables.js';
import { createCollection, type NewCollection } from './new-collection.js';
import { Reservations } from './reservations.js';

export interface DraftRequest {
  metadata: CollectionMetadata;
  /** An instruction set, unchecked; at most one of `data` and `assetId`. Without both: an empty set. */
  data: unknown;
  /** The asset whose `gen_in_data` the collection takes. */
  assetId: string | null;
  /** Null: the default project. */
  projectId: string | null;
}

/** Makes collections from an instruction set, an asset or nothing. */
export class CollectionDrafts {
  constructor(
    private readonly database: Database,
    private readonly stepWorkflows: StepWorkflows,
    private readonly keys: CollectionKeys,
    private readonly images: ImageVariables,
  ) {}

  /** Checks and completes it. Throws 400 naming all faults, `PROJECT_NOT_FOUND`, `NOT_FOUND` (asset). */
  async prepare(caller: Caller, request: DraftRequest): Promise<NewCollection> {
    const { metadata, data, assetId, projectId } = request;
    const read = assetId === null ? this.setOf(caller, data) : this.setOfAsset(caller, assetId);
    const { set, registry, borrowed = null, encrypted = false } = await read;
    const { userId } = caller;
    const reserved = await new Reservations(this.database, this.keys).reserve({
      userId, projectId, steps: set.steps.length, encrypted: metadata.encryption_enabled ?? encrypted,
    });
    return {
      userId,
      ...reserved,
      data: withComponentIds(set, reserved.componentIds, registry),
      inherits: assetId === null ? [] : set.steps.map(({ id }) => componentIdOf(id)),
      metadata,
      autoPublish: false,
      origin: null,
      borrowed,
    };
  }

  async commit(tx: Transaction, draft: NewCollection): Promise<CollectionView> {
    return collectionView(await createCollection(tx, draft), []);
  }

  /** What is wrong with the set in a body that is faulty itself, so that a client learns all of it at once. */
  async furtherFaults(caller: Caller, body: unknown): Promise<FieldFault[]> {
    const { data } = Object(body) as { data?: unknown };
    if (typeof data !== 'object' || data === null) return [];
    return readInstructionSet(data, await this.registryFor(caller, data), { at: 'data' }).faults;
  }

  /** A set of a request, checked. `at`: where it stands there. Throws 400 naming all faults. */
  async setOf(caller: Caller, data: unknown, at = 'data'): Promise<ReadSet> {
    const registry = await this.registryFor(caller, data);
    if (data === undefined || data === null) return { set: EMPTY_INSTRUCTION_SET, registry };
    const { set, faults } = readInstructionSet(data, registry, { at });
    if (faults.length > 0) throw validationError(faults);
    const unusable = await this.images.faultsOf(caller.userId, set.variables, { at: joinPath(at, 'variables') });
    if (unusable.length > 0) throw validationError(unusable);
    return { set, registry };
  }

  private async setOfAsset(caller: Caller, assetId: string): Promise<ReadSet> {
    const asset = await findAsset(this.database, caller, assetId, this.keys);
    if (!asset || !maySeeOrigin(asset, caller)) throw notFound('Asset');
    const data = setIn(asset.gen_in_data);
    const registry = await this.registryFor(caller, data);
    const { set, faults } = readInstructionSet(data, registry);
    if (faults.length > 0) throw fieldError('asset_id', 'was not made by a set that can run here');
    const isOwn = asset.user_id === caller.userId;
    const borrowed = isOwn ? borrowedIn(this.database, asset, this.keys) : borrow(this.database, asset.collection_id, set);
    return { set, registry, borrowed: await borrowed, encrypted: asset.encrypted };
  }

  /** The nodes that an unchecked set may name. */
  private async registryFor(caller: Caller, data: unknown): Promise<NodeRegistry> {
    return (await this.stepWorkflows.find(namedSteps(data), caller)).registry;
  }
}

/** A checked set, with the nodes that its steps name. */
export interface ReadSet {
  set: InstructionSet;
  registry: NodeRegistry;
  /** Set: it is another's. */
  borrowed?: Borrowed | null;
  /** It comes from an encrypted collection: what is made of it is encrypted unless its owner says otherwise. */
  encrypted?: boolean;
}

/** `gen_in_data` without what it tells beyond the set. */
function setIn(made: JsonObject | null): unknown {
  const { fetched: _fetched, workflows: _workflows, ...set } = made ?? {};
  return made && set;
}

/** Ids that an author chose are no component's. */
export const componentIdOf = (id: Step['id']): string | null => (/^\d{1,18}$/.test(String(id)) ? String(id) : null);

/** The set with its steps under the ids of their component rows, and every reference to them rewritten. */
export function withComponentIds(
  set: InstructionSet,
  componentIds: number[],
  registry: NodeRegistry,
): InstructionSet {
  const idMap = new Map(set.steps.map(({ id }, index) => [String(id), componentIds[index] as number]));
  return { ...set, steps: rewriteReferences(set.steps, idMap, registry) };
}
