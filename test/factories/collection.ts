import { v7 as uuidv7 } from 'uuid';
import type { NewCollection } from '#libs/collections/new-collection.js';
import { EMPTY_INSTRUCTION_SET } from '#libs/instruction-set/instruction-set.js';

/** An empty, untitled draft, apart from what `differs`. */
export const buildCollection = (
  userId: string,
  differs: Partial<NewCollection> & Pick<NewCollection, 'projectId'>,
): NewCollection => ({
  id: uuidv7(),
  userId,
  data: EMPTY_INSTRUCTION_SET,
  componentIds: [],
  inherits: [],
  metadata: {},
  autoPublish: false,
  origin: null,
  ...differs,
});
