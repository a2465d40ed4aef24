import type { Graph, GraphNode } from '#libs/comfyui/graph.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

const node = (class_type: string, inputs: JsonObject = {}): GraphNode => ({ class_type, inputs });
const empty = (color: number) => node('EmptyImage', { width: 8, height: 8, batch_size: 1, color });

let color = 0;

/** An image of a colour that no other graph has, saved. `seconds`: after a sleep of so long. */
export const imageGraph = (seconds = 0): Graph => ({
  1: empty(++color),
  2: node('TestSleep', { value: ['1', 0], seconds }),
  3: node('SaveImage', { images: ['2', 0], filename_prefix: 'art/one' }),
});

/** One image, seen by an output node of this class. */
export const shownBy = (class_type: string, inputs: JsonObject = {}): Graph => ({
  1: empty(++color),
  2: node(class_type, { images: ['1', 0], ...inputs }),
});

/** Fails while it runs; its second output is saved before that. */
export const failingGraph = (): Graph => ({
  1: empty(++color),
  2: node('SaveImage', { images: ['1', 0], filename_prefix: 'before' }),
  3: node('TestSyncError', { value: ['1', 0] }),
  4: node('SaveImage', { images: ['3', 0], filename_prefix: 'after' }),
});

/** One output can run, the other cannot. */
export const halfGraph = (): Graph => ({
  1: empty(++color),
  2: node('SaveImage', { images: ['1', 0], filename_prefix: 'half' }),
  3: node('SaveImage', {}),
});

export { node };
