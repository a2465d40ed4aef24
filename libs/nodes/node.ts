import type { Readable } from 'node:stream';
import type { FieldFault } from '#libs/errors/app-error.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { SeededRandom } from '#libs/instruction-set/random.js';

/** Where a generation queues: `chromium` renders, `provider` waits on the outside, `default` is the rest. */
export const LANES = ['chromium', 'provider', 'default'] as const;
export type Lane = (typeof LANES)[number];

/** A JSON Schema (draft 2020-12) with two words of our own, see `NodeDefinition.payload`. */
export type JsonSchema = { [keyword: string]: unknown };

export interface AssetFile {
  id: string;
  storageKey: string;
  name: string;
  mimeType: string;
  size: number;
  sha256: string;
  width?: number;
  height?: number;
}

/** An input file, given to a node in place of a `$ref` to an asset. Read it with `context.assets`. */
export class AssetHandle implements AssetFile {
  readonly id: string;
  readonly storageKey: string;
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
  readonly sha256: string;
  readonly width?: number;
  readonly height?: number;

  constructor(file: AssetFile) {
    Object.assign(this, file);
  }
}

/** A file that a node made. The engine spools, hashes, sniffs and stores it. */
export interface ProducedAsset {
  /** File name without a path, e.g. `art.png`. Its extension is corrected to what the bytes are. */
  name: string;
  bytes: Uint8Array | Readable;
  /** Only for types that bytes do not tell (text, JSON). */
  mimeType?: string;
  /** Pixels, of a video: nobody else opens it. An image's are read from its bytes when they are not told. */
  width?: number;
  height?: number;
  /** Seconds, of what plays. */
  duration?: number;
}

export interface Trait {
  trait_type: string;
  value: string | number | boolean;
}

/** What a host outside gave when the step asked: the record of what cannot be had again for sure. */
export interface FetchedFile {
  url: string;
  /** Lower-case hexadecimal. */
  sha256: string;
}

/** A file of ours that a step was given: the record of what it was made from. */
export interface InputFile {
  /** Decimal. */
  asset_id: string;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

/** The step is finished. Its primary output is the first asset, else `value`. */
export interface Done {
  kind: 'done';
  assets?: ProducedAsset[];
  value?: Json;
  traits?: Trait[];
  /** Becomes part of `gen_in_data`. */
  fetched?: FetchedFile[];
  /** What did the work, for the record: a model and its version, a prediction, the release of a library. */
  madeWith?: Record<string, string>;
}

/** The step waits for the outside: it gives its slot back until a wake-up or until `pollAfterMs` passed. */
export interface Waiting {
  kind: 'waiting';
  /** What `poll` and `cancel` need to find the work again. Stored with the step run. */
  reference: Json;
  /** Milliseconds until the next `poll`. Absent: only a wake-up (webhook, queue event) or the deadline. */
  pollAfterMs?: number;
  /** Milliseconds from now after which the step fails. */
  timeoutMs?: number;
}

export type NodeOutcome = Done | Waiting;

/** All a node sees of the system: no container, no database, no environment. */
export interface NodeContext<Payload = JsonObject> {
  /** The step's payload with references and variables resolved, defaults filled in and checked. */
  readonly payload: Payload;
  /** The edition's hash: the one source of all randomness. */
  readonly hash: string;
  readonly generationIndex: number;
  /** Whose generation it is, and of how many in its job. */
  readonly edition: {
    readonly userId: string; readonly jobId: string; readonly generationId: string; readonly of: number;
  };
  /** Values of the instruction set's variables for this edition. */
  readonly variables: Readonly<JsonObject>;
  /** A stream of random numbers that depends on the hash and the step only. */
  readonly random: SeededRandom;
  /** Unguessable, unique to this attempt, stored before the node runs: send it along to the outside. */
  readonly token: string;
  /** The step's time begins, or begins anew: for a node that `takesTurns`. */
  startClock(): void;
  /** Aborts on cancel, on a lost lease, at the time limit and at shutdown. */
  readonly signal: AbortSignal;
  /**
   * The newest body that a webhook brought for this attempt, or for the lost one of that token; null: none yet.
   * A delivery wakes the step, so one that waits needs no `pollAfterMs`.
   */
  delivery(token?: string): Promise<Json | null>;
  /**
   * A secret of the author of the stored workflow that this node works for; never the caller's. Throws a permanent
   * `NodeError` where there is none of that name, or no such author.
   */
  secret(name: string): Promise<string>;
  /** Has the step polled at once. May be called after it returned `waiting`, by what listens to the outside. */
  wake(): void;
  /** Reports how far the step is, from 0 to 1. Calls are cheap; they are thinned out on the way. */
  progress(fraction: number, message?: string): void;
  /** Adds a line to the step's log (the last 100 are kept). */
  log(line: string): void;
  readonly assets: AssetReader;
}

export interface AssetReader {
  /** The whole file, up to 256 MiB. */
  read(handle: AssetHandle, signal?: AbortSignal): Promise<Buffer>;
  open(handle: AssetHandle, signal?: AbortSignal): Promise<Readable>;
}

/**
 * A kind of step. Rules a node keeps: it never changes its payload; apart from nodes that ask an outside
 * service, the same payload, hash and variables give the same bytes; it stops soon after `signal` aborts.
 */
export interface NodeDefinition<Payload = JsonObject> {
  /** Stored in instruction sets for ever: a literal that outlives refactors. */
  readonly name: string;
  /** Other spellings. Names match ignoring case and `. _ -`. */
  readonly aliases: readonly string[];
  readonly title: string;
  readonly lane: Lane;
  /** Reached through stored workflows alone: no step may name it. */
  readonly storedOnly?: true;
  /**
   * JSON Schema of the payload, with `default`s, which are filled in. A property with `verbatim: true` is
   * never substituted (source code); one with `asset: true` takes an asset, as an `AssetHandle`, or the http(s)
   * URL of another host, as the text it is; one with `asset: 'files'` takes any text, and of `/files` URLs the asset.
   */
  readonly payload: JsonSchema;
  /** How long one attempt may run. A payload's own `time_limit_ms` wins. */
  readonly timeLimitMs: number;
  /** Before it works it waits for its turn at what others use, too: its time counts from `startClock` on. */
  readonly takesTurns?: true;
  /**
   * Whether this payload's value is worked out at once, in memory, from what the step is given: `run` then
   * waits for nothing, makes no file and uses no token. Such a step may be done before its start is recorded.
   */
  immediate?(payload: Payload): boolean;
  /**
   * Whether somebody outside decides what this payload gives, so that it cannot be made again byte for byte.
   * Absent: never. Payloads are as they were written, with references in them.
   */
  asksOutside?(payload: JsonObject): boolean;
  /** Faults of a payload beyond its schema, e.g. that code does not parse. Called when a workflow is saved. */
  check?(payload: Payload): Array<{ path: string; message: string }>;
  run(context: NodeContext<Payload>): Promise<NodeOutcome>;
  /** Asks after work in progress. Required of a node that returns `waiting`. */
  poll?(context: NodeContext<Payload>, reference: Json): Promise<NodeOutcome>;
  /** Looks for work an earlier attempt may have started before its answer was lost, by that attempt's token. */
  find?(context: NodeContext<Payload>, lostToken: string): Promise<Json | null>;
  /** Stops work in progress outside. Idempotent. */
  cancel?(reference: Json, signal: AbortSignal): Promise<void>;
}

/**
 * Types a definition's functions by its payload: the schema is checked before any of them is called, so the
 * payload is what its type says.
 */
export const defineNode = <Payload>(definition: NodeDefinition<Payload>): NodeDefinition =>
  definition as unknown as NodeDefinition;

/** Why a step failed: `permanent` is the input's fault (fail now), else the world's (try again). */
export class NodeError extends Error {
  constructor(
    /** Stable and upper case, e.g. `SKETCH_ERROR`. Shown to the user, as is the message. */
    readonly code: string,
    message: string,
    readonly permanent: boolean,
    readonly retryAfterMs?: number,
    /** The fields at fault, where they are known. */
    readonly faults?: readonly FieldFault[],
  ) {
    super(message);
    this.name = 'NodeError';
  }
}

/**
 * Code of a failure that came after the outside had done its work: the next attempt looks for that first, so that
 * nothing is paid for twice.
 */
export const STORAGE_FAILED = 'STORAGE_FAILED';

export const inputFault = (code: string, message: string) => new NodeError(code, message, true);
export const worldFault = (code: string, message: string, retryAfterMs?: number) =>
  new NodeError(code, message, false, retryAfterMs);
