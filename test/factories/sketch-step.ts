import { randomStream, SeededRandom } from '#libs/instruction-set/random.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { NodeContext, NodeDefinition } from '#libs/nodes/node.js';
import { checkPayload } from '#libs/nodes/payload.js';
import { HASH } from './sketch-run.js';

/** Runs a node that takes a sketch, and collects what it logs. */
export function runSketchStep(node: NodeDefinition, payload: JsonObject, changes: Partial<NodeContext> = {}) {
  const logs: string[] = [];
  const context = {
    payload: checkPayload(node, payload).payload,
    hash: HASH,
    generationIndex: 0,
    edition: { userId: 'u', jobId: 'j', generationId: 'g', of: 1 },
    variables: { mood: 'calm' },
    random: new SeededRandom(randomStream(HASH, 'step')),
    token: 'token',
    signal: new AbortController().signal,
    startClock: () => {},
    progress: () => {},
    log: (line: string) => void logs.push(line),
    ...changes,
  } as unknown as NodeContext<never>;
  return { logs, outcome: node.run(context) };
}
