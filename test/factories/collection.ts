import { v7 as uuidv7 } from 'uuid';
import type { NewCollection } from '#libs/collections/new-collection.js';
import { EMPTY_INSTRUCTION_SET } from '#libs/instruction-set/instruction-set.js';

/** An empty, untitled draft in the user's default project, apart from what `differs`. */
export const buildCollection = (userId: string, differs: Partial<NewCollection> = {}): NewCollection => ({
  id: uuidv7(),
  userId,
  projectId: null,
  data: EMPTY_INSTRUCTION_SET,
  componentIds: [],
  inherits: [],
  metadata: {},
  autoPublish: false,
  origin: null,
  ...differs,
});
