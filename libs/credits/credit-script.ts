import { serviceUnavailable } from '#libs/errors/errors.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import {
  SandboxUnavailable,
  ScriptError,
  type ScriptRun,
  type ScriptSandbox,
} from '#libs/sandbox/script-sandbox.js';

/** On a busy machine 50 ms can pass without the script: a good one must not be refused for that. */
const LIMITS = { cpuMs: 50, timeMs: 1_000, memoryBytes: 16 * 1024 ** 2 };
/** Credits. Above this, micro-credits are no longer exact numbers. */
const MAX_COST = 1_000_000_000;

/** A credit script that gave no price. The message is for its author; the caller names the field. */
export class CreditScriptError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CreditScriptError';
  }
}

/** The price of one generation in credits, as the script's `computeCost(context)` says. */
export interface ComputedCost {
  cost: number;
  details?: unknown;
}

/**
 * Runs a credit script: text that defines `computeCost(context)`, which returns `{ cost, details? }`. It has
 * 50 ms of the processor and 16 MB, and neither clock, network nor randomness, so that equal variables cost
 * the same. Throws CreditScriptError, or AppError SERVICE_UNAVAILABLE when there is no room to run it.
 */
export async function computeCost(
  sandbox: ScriptSandbox,
  source: string,
  context: JsonObject,
): Promise<ComputedCost> {
  const script: ScriptRun = { code: source, entry: 'compute_cost', globals: { context }, limits: LIMITS };
  try {
    const { value } = await sandbox.run(script);
    return costOf(value.kind === 'json' ? value.value : null);
  } catch (error) {
    if (error instanceof ScriptError) throw new CreditScriptError(error.message);
    if (error instanceof SandboxUnavailable) throw serviceUnavailable();
    throw error;
  }
}

function costOf(result: unknown): ComputedCost {
  const { cost, details } = (result ?? {}) as Partial<ComputedCost>;
  // NaN and the infinities left the sandbox as null: JSON has no others.
  if (typeof cost !== 'number')
    throw new CreditScriptError('computeCost must return { cost } with a finite number');
  if (cost < 0) throw new CreditScriptError('cost must not be negative');
  if (cost > MAX_COST) throw new CreditScriptError(`cost must not be above ${MAX_COST}`);
  return details === undefined ? { cost } : { cost, details };
}
