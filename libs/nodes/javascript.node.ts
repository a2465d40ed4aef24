import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import {
  SandboxUnavailable,
  ScriptError,
  type ScriptRun,
  type ScriptSandbox,
  type ScriptValue,
} from '#libs/sandbox/script-sandbox.js';
import {
  AssetHandle,
  defineNode,
  inputFault,
  worldFault,
  type Done,
  type JsonSchema,
  type NodeContext,
} from './node.js';

interface JavascriptPayload {
  code: string;
  inputs: JsonObject;
  time_limit_ms: number;
  memory_mb: number;
}

const PAYLOAD: JsonSchema = {
  type: 'object',
  required: ['code'],
  additionalProperties: false,
  properties: {
    code: { type: 'string', verbatim: true, minLength: 1, maxLength: 262_144 },
    inputs: { type: 'object', default: {} },
    time_limit_ms: { type: 'integer', minimum: 1, maximum: 60_000, default: 5_000 },
    /** The sandbox starts with 16. */
    memory_mb: { type: 'integer', minimum: 16, maximum: 256, default: 64 },
  },
};

const CODES = {
  error: 'SCRIPT_ERROR',
  time_limit: 'TIME_LIMIT',
  memory_limit: 'MEMORY_LIMIT',
  result: 'INVALID_RESULT',
} as const;

/**
 * Runs JavaScript: a function body with `return` and `await`, or a module whose `export default` is the
 * result or a function of `{ inputs, variables, hash, random }`. The code can read `inputs` (an asset as
 * `{ name, mime_type, size, sha256, width, height }`), `variables`, `hash` and `generation_index`;
 * `random()` and `Math.random()` come from the hash and the clock stands still. A Uint8Array or ArrayBuffer
 * becomes an asset, anything else is the step's value.
 */
export const javascriptNode = (scripts: ScriptSandbox) =>
  defineNode<JavascriptPayload>({
    name: 'javascript',
    aliases: ['js'],
    title: 'JavaScript',
    lane: 'default',
    payload: PAYLOAD,
    timeLimitMs: 5_000,
    takesTurns: true,
    async run(context) {
      try {
        const { value, logs } = await scripts.run(scriptOf(context));
        logs.forEach((line) => context.log(line));
        return outcomeOf(value);
      } catch (error) {
        throw faultOf(error, context);
      }
    },
  });

const scriptOf = ({
  payload,
  hash,
  generationIndex,
  variables,
  signal,
  startClock,
}: NodeContext<JavascriptPayload>): ScriptRun => ({
  code: payload.code,
  entry: 'function_body',
  globals: {
    inputs: plainInput(payload.inputs),
    variables: { ...variables },
    hash,
    generation_index: generationIndex,
  },
  hash,
  limits: { timeMs: payload.time_limit_ms, memoryBytes: payload.memory_mb * 1024 ** 2 },
  onStart: startClock,
  signal,
});

/** Inputs without our own classes. An asset shows only what is the same whenever the set is made again. */
function plainInput(input: unknown): Json {
  if (input instanceof AssetHandle) {
    const { name, mimeType, size, sha256, width = null, height = null } = input;
    return { name, mime_type: mimeType, size, sha256, width, height };
  }
  if (Array.isArray(input)) return input.map(plainInput);
  if (typeof input !== 'object' || input === null) return input as Json;
  return Object.fromEntries(Object.entries(input).map(([key, item]) => [key, plainInput(item)]));
}

const outcomeOf = (value: ScriptValue): Done =>
  value.kind === 'bytes'
    ? { kind: 'done', assets: [{ name: 'output.bin', bytes: value.bytes }] }
    : { kind: 'done', value: value.value as Json };

function faultOf(error: unknown, context: NodeContext<JavascriptPayload>): unknown {
  if (error instanceof SandboxUnavailable) return worldFault('SANDBOX_UNAVAILABLE', error.message);
  if (!(error instanceof ScriptError)) return error;
  error.logs.forEach((line) => context.log(line));
  return inputFault(CODES[error.reason], error.message);
}
