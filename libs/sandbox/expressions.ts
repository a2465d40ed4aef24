import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ScriptError, type ScriptLimits, type ScriptRun, type ScriptSandbox } from './script-sandbox.js';

const MEGABYTE = 1024 ** 2;
const JQ_LIMITS: ScriptLimits = { timeMs: 5_000, memoryBytes: 192 * MEGABYTE };
const JAVASCRIPT_LIMITS: ScriptLimits = { timeMs: 1_000, memoryBytes: 64 * MEGABYTE };

/** Authors' jq programs and JavaScript expressions. What is wrong with one is thrown as a `ScriptError`. */
export class Expressions {
  constructor(private readonly scripts: ScriptSandbox) {}

  /** All that a jq program gives for `input`. */
  async jq(program: string, input: Json, signal?: AbortSignal): Promise<Json[]> {
    return (await this.run({ code: program, entry: 'jq', globals: { input }, limits: JQ_LIMITS, signal })) as Json[];
  }

  /** Whether a JavaScript expression holds of `data`, as an `if` would have it. */
  async holds(expression: string, data: Json, signal?: AbortSignal): Promise<boolean> {
    const globals: JsonObject = { data };
    const script = { code: expression, entry: 'expression' as const, globals, limits: JAVASCRIPT_LIMITS, signal };
    return Boolean(await this.run(script));
  }

  /** What is wrong with a jq program, whatever its input; null: it compiles. */
  jqFault(program: string): Promise<string | null> {
    return faultOf(this.jq(`empty | ${program}`, null));
  }

  /** The same for a JavaScript expression. It is not evaluated. */
  expressionFault(expression: string): Promise<string | null> {
    return faultOf(this.holds(`typeof (() => (${expression}\n))`, null));
  }

  private async run(script: ScriptRun): Promise<unknown> {
    const { value } = await this.scripts.run(script);
    return value.kind === 'json' ? value.value : null;
  }
}

async function faultOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
}
