import type { Database } from '#libs/database/database.js';
import { fieldError, serviceUnavailable } from '#libs/errors/errors.js';
import type { Caller } from '#libs/identity/caller.js';
import type { Variables } from '#libs/instruction-set/instruction-set.js';
import type { CollectionSources } from './collection-source.js';
import { ChangedMeanwhile, type CollectionUpdates } from './collection-updates.js';

const ATTEMPTS = 5;

/** Changes the variables of a collection's set and nothing else of it. */
export class VariableUpdates {
  constructor(
    private readonly database: Database,
    private readonly sources: CollectionSources,
    private readonly updates: CollectionUpdates,
  ) {}

  /** Those of one's own collection. Throws `COLLECTION_NOT_FOUND`. */
  async read(userId: string, id: string): Promise<Variables> {
    return (await this.sources.find({ userId, id })).set.variables;
  }

  /**
   * An update like any of the set: checked as a whole with its steps, under new component ids, with what was before in
   * the history. `variables` are unchecked. Throws `COLLECTION_NOT_FOUND`, 400 naming all faults.
   */
  async replace(caller: Caller, id: string, variables: unknown): Promise<void> {
    if (typeof variables !== 'object' || variables === null) throw fieldError('variables', 'must be a record or a list');
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await this.tried(caller, id, variables as Variables)) return;
    }
    throw serviceUnavailable();
  }

  private async tried(caller: Caller, id: string, variables: Variables): Promise<boolean> {
    const { projectId, set, data } = await this.sources.find({ userId: caller.userId, id });
    const prepared = await this.updates.prepare(caller, { projectId, id, metadata: {}, data: { ...set, variables }, at: '' });
    try {
      await this.database.transaction((tx) => this.updates.commit(tx, { ...prepared, basedOn: data }));
      return true;
    } catch (error) {
      if (error instanceof ChangedMeanwhile) return false;
      throw error;
    }
  }
}
