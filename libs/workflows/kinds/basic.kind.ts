import type { WorkflowKind } from './workflow-kind.js';

/** A form and a price: nothing that runs. */
export const basicKind: WorkflowKind = { name: 'basic', aliases: [], parts: {}, required: [] };
