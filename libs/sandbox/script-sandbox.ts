import type { JsonObject } from '#libs/instruction-set/instruction-set.js';

export interface ScriptLimits {
  timeMs: number;
  /** Of the processor's time, which a busy machine does not shorten. Absent: `timeMs` alone counts. */
  cpuMs?: number;
  memoryBytes: number;
}

/** A script's result: JSON, or bytes (`Uint8Array`/`ArrayBuffer` in the script). */
export type ScriptValue = { kind: 'json'; value: unknown } | { kind: 'bytes'; bytes: Uint8Array };

export interface ScriptRun {
  /** Source text; see `entry`. */
  code: string;
  /**
   * How the code is entered: `function_body` (or `export default` value/function) as the `javascript`
   * node, `compute_cost` defines `computeCost(context)`, `expression` is one expression, `jq` a jq program over
   * `globals.input`, whose result is the list of what it gives.
   */
  entry: 'function_body' | 'compute_cost' | 'expression' | 'jq';
  /** Names the code can read; `$name` in jq. */
  globals: JsonObject;
  /**
   * Seeds `Math.random` and `random()`; the clock then stands still at 2024-01-01T00:00:00Z. Absent:
   * `Math.random()` throws, and so does asking for the time (`new Date()`, `Date.now()`).
   */
  hash?: string;
  limits: ScriptLimits;
  /** Called when it starts, after its turn has come. Its time counts from then on. */
  onStart?(): void;
  signal?: AbortSignal;
}

/** The script failed: its own error, a limit, or a result that is not JSON. Always the input's fault. */
export class ScriptError extends Error {
  constructor(
    readonly reason: 'error' | 'time_limit' | 'memory_limit' | 'result',
    message: string,
    /** What the script wrote to its console before it failed. */
    readonly logs: string[] = [],
  ) {
    super(message);
    this.name = 'ScriptError';
  }
}

/** The script was not run, or its process died under it: no fault of the script, another try may help. */
export class SandboxUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SandboxUnavailable';
  }
}

/** Runs untrusted JavaScript and jq with nothing of the host in reach, under hard limits. */
export abstract class ScriptSandbox {
  /**
   * `logs` are the last 100 lines of the script's console. Throws ScriptError, SandboxUnavailable, or the
   * signal's reason. JSON results end at 4 MiB and 64 levels, bytes at 16 MiB.
   */
  abstract run(script: ScriptRun): Promise<{ value: ScriptValue; logs: string[] }>;
  abstract close(): Promise<void>;
}
