import type { Json } from '#libs/instruction-set/instruction-set.js';
import { NodeError } from '#libs/nodes/node.js';
import type { StepOutput } from './generation-store.js';

/** Values, as JSON, that the steps of one generation may give together. */
const MAX_OUTPUT_BYTES = 32 * 1024 ** 2;

/** Outputs are kept in memory while their generation runs: together they have a limit. */
export class OutputBudget {
  private used: number;

  constructor(outputs: Iterable<StepOutput>) {
    this.used = [...outputs].reduce((sum, { value }) => sum + sizeOf(value), 0);
  }

  /** Counts one more value, or throws a permanent `NodeError` and counts nothing. */
  take(value: Json): void {
    const size = sizeOf(value);
    if (this.used + size > MAX_OUTPUT_BYTES) {
      throw new NodeError('OUTPUT_TOO_LARGE', 'The steps of one generation may give 32 MiB of values together', true);
    }
    this.used += size;
  }
}

const sizeOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));
