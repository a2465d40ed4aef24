import { v7 as uuidv7 } from 'uuid';
import type { Queryable } from '#libs/database/database.js';
import type { CollectionKeys } from '#libs/encryption/collection-keys.js';
import { reserveCollection, type NewCollection } from './new-collection.js';

export interface WantedCollection {
  userId: string;
  /** Null: the default one. */
  projectId: string | null;
  steps: number;
  encrypted: boolean;
  /** Names what asks for encryption, for whom it cannot be had. */
  field?: string;
}

/** Gives new collections what they need before they are written. */
export class Reservations {
  constructor(
    private readonly database: Queryable,
    private readonly keys: CollectionKeys,
  ) {}

  /** Throws `PROJECT_NOT_FOUND`, 400 where nothing can be encrypted. */
  async reserve(
    { encrypted, field = 'encryption_enabled', ...wanted }: WantedCollection,
  ): Promise<Pick<NewCollection, 'id' | 'projectId' | 'componentIds' | 'key'>> {
    const id = uuidv7();
    const key = encrypted ? await this.keys.make(id, field) : null;
    return { id, key, ...(await reserveCollection(this.database, wanted)) };
  }
}
