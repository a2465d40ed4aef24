import type { ScriptError, ScriptRun } from '../script-sandbox.js';

/** What a script process is asked to run. All of it is plain text and numbers: it travels as JSON. */
export interface ScriptRequest {
  code: string;
  entry: ScriptRun['entry'];
  /** JSON text of the names the code can read. */
  globals: string;
  /** sfc32 seeds of `Math.random` and `random`. Absent: the script has neither chance nor clock. */
  seeds?: { mathRandom: number[]; random: number[] };
  timeMs: number;
  cpuMs?: number;
  memoryBytes: number;
}

/** How a run ended: JSON text, base64 of bytes, or a failure; with what the script wrote to its console. */
export interface ScriptOutcome {
  logs: string[];
  json?: string;
  bytes?: string;
  failure?: { reason: ScriptError['reason']; message: string };
}

/** `ready` once after start; then for each run `started`, when its time begins to count, and the outcome. */
export type ScriptMessage = 'ready' | 'started' | ScriptOutcome;
