import { SketchError, type SketchWords } from '#libs/sandbox/sketch-renderer.js';
import { NodeError, type NodeContext, type Trait } from '../node.js';

const MAX_TRAITS = 100;

const CODES: Record<SketchError['reason'], string> = {
  error: 'SKETCH_ERROR',
  time_limit: 'SKETCH_TIME_LIMIT',
  no_canvas: 'SKETCH_NO_CANVAS',
  browser: 'SKETCH_BROWSER_LOST',
  unsandboxed: 'SANDBOX_UNAVAILABLE',
};

/** What came of a sketch, with its console in the step's log. A sketch that failed is a `NodeError`. */
export async function logged<Result extends SketchWords>(
  context: Pick<NodeContext, 'log'>,
  running: Promise<Result>,
): Promise<Result> {
  try {
    const result = await running;
    result.logs.forEach((line) => context.log(line));
    return result;
  } catch (failure) {
    if (!(failure instanceof SketchError)) throw failure;
    failure.logs.forEach((line) => context.log(line));
    throw new NodeError(CODES[failure.reason], failure.message, failure.permanent);
  }
}

export const traitsOf = ({ features }: SketchWords): Trait[] =>
  Object.entries(features)
    .slice(0, MAX_TRAITS)
    .map(([trait_type, value]) => ({ trait_type, value }));
