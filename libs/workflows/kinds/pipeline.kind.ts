import type { WorkflowKind } from './workflow-kind.js';

/** Steps of its own, which are checked as an instruction set's; the form's values are their variables. */
export const pipelineKind: WorkflowKind = {
  name: 'pipeline',
  aliases: [],
  parts: {
    pipeline: {
      type: 'object',
      required: ['steps'],
      additionalProperties: false,
      properties: {
        version: { type: ['string', 'number'] },
        steps: { type: 'array', minItems: 1 },
        variables: true,
      },
    },
  },
  required: ['pipeline'],
};
