import { v7 as uuid } from 'uuid';
import type { Step } from '#libs/instruction-set/instruction-set.js';
import type { Client } from '../../e2e/client.js';
import { busyStep, formWorkflow } from '../../e2e/pipelines.js';

/** Million rounds of a step that computes for some tens of milliseconds. */
const SHORT = 0.4;

const mood: Step = {
  id: 'mood', nodeName: 'variables',
  nodePayload: {
    variables: [{
      name: 'tone', type: 'weighted_pick', value_type: 'strings', value: { values: ['ember', 'moss'], weights: [1, 2] },
    }],
  },
};
const line: Step = { id: 'line', nodeName: 'prompt', nodePayload: { template: '{{subject}}, {loud|quiet|still}' } };

/** A file of its own bytes in each edition: makes an asset. */
const file = (id: string, after: string): Step => ({
  id, nodeName: 'javascript',
  nodePayload: {
    inputs: { after: { $ref: after } },
    code: 'return Uint8Array.from(`${hash} ${JSON.stringify(inputs)} ${random()}`, (char) => char.charCodeAt(0));',
  },
});

/** Three to six steps, one after another or side by side, that end in a file. */
export const WORKS: Step[][] = [
  [line, busyStep('busy', SHORT, { a: { $ref: 'line' } }), file('file', 'busy')],
  [mood, line, busyStep('busy', SHORT, { a: { $ref: 'line' }, b: { $ref: 'mood' } }), file('file', 'busy')],
  [
    line, busyStep('left', SHORT, { a: { $ref: 'line' } }), busyStep('right', SHORT, { a: { $ref: 'line' } }),
    busyStep('both', SHORT, { a: { $ref: 'left' }, b: { $ref: 'right' } }), file('file', 'both'),
  ],
  [
    mood, line, busyStep('one', SHORT, { a: { $ref: 'line' }, b: { $ref: 'mood' } }),
    busyStep('two', SHORT, { a: { $ref: 'one' } }), file('first', 'one'), file('second', 'two'),
  ],
];

/** Its second step fails whatever is tried: the generation fails, and is not paid. */
export const DOOMED: Step[] = [
  line, { id: 'doomed', nodeName: 'javascript', nodePayload: { inputs: { a: { $ref: 'line' } }, code: 'throw new Error(hash);' } },
];

const CREDITS = { base: 0.5, per_generation: 0.25 };

export const storedWork = (name: string, steps: Step[]) => formWorkflow(name, CREDITS, steps);

/** Stores a workflow of these steps under a name of its own; resolves with its id. */
export async function storeWork(artist: Client, steps: Step[]): Promise<string> {
  return (await artist.create<{ id: string }>('/workflows', storedWork(`storm ${uuid()}`, steps))).id;
}
