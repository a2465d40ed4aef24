import type { CollectionSeal } from '#libs/encryption/collection-seal.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import type { InstructionSet, Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { AssetHandle, FetchedFile, InputFile, Lane, ProducedAsset, Trait } from '#libs/nodes/node.js';

/** The right to run a generation: every write carries its number and is refused when a newer one exists. */
export interface Lease {
  generationId: string;
  jobId: string;
  number: number;
  lane: Lane;
  /** After two deaths in one step a generation runs alone in its worker. */
  alone: boolean;
}

/** A stored file as a step's output names it. `url` is its address once the generation is paid. */
export interface OutputAsset {
  id: string;
  url: string;
  name: string;
  mime_type: string;
  size: number;
  sha256: string;
  width: number | null;
  height: number | null;
  duration: number | null;
  storage_key: string;
}

/** What a step was made from, beside its payload: for the record. */
export interface StepOrigin {
  /** Files of ours that its payload named or referenced, each once. */
  inputs?: InputFile[];
  /** What other hosts gave to it. */
  fetched?: FetchedFile[];
  madeWith?: Record<string, string>;
}

/** What a finished step leaves to those that reference it. The primary output is the first asset, else the value. */
export interface StepOutput extends StepOrigin {
  assets: OutputAsset[];
  value: Json;
  traits: Trait[];
}

/** A file in storage that has no row yet. */
export type StoredFile = Omit<OutputAsset, 'id' | 'url'>;

/** An attempt that has begun; its row was committed before the node ran. */
export interface Attempt {
  id: string;
  stepId: string;
  number: number;
  token: string;
}

export interface WaitingAttempt extends Attempt {
  reference: Json;
  /** Milliseconds until its next poll and its deadline, by the database's clock; null: none. */
  dueInMs: number | null;
  timeoutInMs: number | null;
}

/** What earlier attempts of an unfinished step tell, for this run of the generation. */
export interface StepRecord {
  attempts: number;
  /** Failed attempts that count against the retry budget. */
  failures: number;
  retryInMs: number | null;
  /**
   * Tokens that the outside may know work by, oldest first: of all attempts since the last verdict whose worker
   * died, that were given back, or whose result could not be stored.
   */
  lostTokens: string[];
}

export const foreignKey = (stepId: string, collectionId: string): string => `${collectionId}:${stepId}`;

/** All that a worker needs to go on from the last checkpoint. */
export interface GenerationState {
  jobId: string;
  generationId: string;
  userId: string;
  collectionId: string | null;
  index: number;
  /** Generations of its job. */
  editions: number;
  hash: string;
  run: number;
  /** Another worker, or an earlier run, has begun it. */
  resumed: boolean;
  /** Whose version of a stored workflow the set was made from. */
  workflowId: string | null;
  /** Since when it might be claimed. */
  dueAt: Date;
  /** The span of its submission, as a W3C `traceparent`. */
  trace?: string;
  instructionSet: InstructionSet;
  /** Show what every step made, not only the last ones. */
  showsAll: boolean;
  /** Its images become public JPEGs, and without one it fails. */
  renders: boolean;
  /** The only texts that may name a file; null: any may. */
  files: ReadonlySet<string> | null;
  /** What the variables are in this edition, decided by its hash, and the traits they give it. */
  values: JsonObject;
  traits: Trait[];
  finished: Map<string, StepOutput>;
  /** Outputs of other collections' steps that this set references, by `foreignKey`. */
  foreign: Map<string, StepOutput>;
  waiting: WaitingAttempt[];
  records: Map<string, StepRecord>;
  wakeSeq: number;
  /** Set: its collection is encrypted, and so is all that is stored of it. */
  seal?: CollectionSeal;
}

export interface ClaimRequest {
  lane: Lane;
  worker: string;
  /** Only a worker that runs nothing else may take a generation that must run alone. */
  idle: boolean;
}

/** A lease that was just taken, and the last checkpoint as it was then. */
export interface Claim {
  lease: Lease;
  state: GenerationState;
}

export interface StepStart {
  stepId: string;
  node: string;
  alias: string | null;
  /** 1 for the first attempt of the step, over all runs of the generation. */
  attempt: number;
  inputDigest: string | null;
  /** What it gave, where it is done before its start is written. It made no files. */
  result?: { output: StepOutput; logs: string[] };
}

/** A step whose node is done; its files are kept already. */
export interface FinishedStep {
  attempt: Attempt;
  node: string;
  alias: string | null;
  output: StepOutput;
  logs: string[];
}

export interface StepResult extends StepOrigin {
  files: StoredFile[];
  value: Json;
  traits: Trait[];
  logs: string[];
}

/** What a step waits for outside, until when at most, and when to ask after it. */
export interface StepWaiting {
  reference: Json;
  pollAfterMs: number | null;
  timeoutMs: number | null;
  logs: string[];
}

export interface StepFailure {
  code: string;
  message: string;
  /** The fields at fault, where they are known. */
  details?: FieldFault[];
  logs: string[];
}

/** Somebody else holds the generation, or it was cancelled: stop, and change nothing. */
export class LeaseLost extends Error {
  constructor() {
    super('The lease on this generation is lost');
    this.name = 'LeaseLost';
  }
}

/**
 * The engine's memory: each call commits a change with its events at once, or throws `LeaseLost`.
 * Implemented on Postgres by `libs/generations`.
 */
export interface GenerationStore {
  /** Takes a lane's next generation, if there is one. That is no change of state yet. */
  claim(request: ClaimRequest): Promise<Claim | undefined>;
  /** Starts or goes on with a claimed generation; commits the first attempts before their nodes run. */
  begin(lease: Lease, state: GenerationState, starts: StepStart[]): Promise<Attempt[]>;
  /** Records the files of a step before the checkpoint that names them. Nobody sees them yet. */
  keepFiles(lease: Lease, state: GenerationState, stepId: string, files: StoredFile[]): Promise<OutputAsset[]>;
  /** The checkpoint: what steps gave, and the attempts that follow from it, with their tokens. */
  checkpoint(lease: Lease, state: GenerationState, finished: FinishedStep[], starts: StepStart[]): Promise<Attempt[]>;
  /**
   * The last checkpoint, which also settles the generation: its price is spent, its assets are shown. All of
   * `starts` are done.
   */
  finish(lease: Lease, state: GenerationState, finished: FinishedStep[], starts?: StepStart[]): Promise<void>;
  waitStep(lease: Lease, attempt: Attempt, waiting: StepWaiting): Promise<void>;
  /** With `retryInMs` the step is tried again; without, the generation fails and its price is released. */
  failStep(lease: Lease, attempt: Attempt, failure: StepFailure, retryInMs: number | null): Promise<void>;
  /** Gives the slot back until `wakeInMs` passed. A number: a wake-up came meanwhile, so run on from there. */
  park(lease: Lease, wakeSeq: number, wakeInMs: number | null): Promise<'parked' | number>;
  /** Gives the generation back in mid-way, for any worker to go on with. */
  handBack(lease: Lease): Promise<void>;
  /** The run ended in an error of the system's own: the generation rests, and fails after the third time. */
  breakOff(lease: Lease): Promise<void>;
}

/** Where the engine puts a produced file before its step's checkpoint names it. */
export interface AssetStore {
  store(
    owner: {
      userId: string; jobId: string; generationId: string; stepId: string; index: number; render?: string;
      encryptedFor?: string;
    },
    produced: ProducedAsset,
    signal: AbortSignal,
  ): Promise<StoredFile>;
}

/** Finds files that a payload names by id or URL. */
export interface AssetLookup {
  /** Those of `references` that this user may read, by reference. */
  find(userId: string, references: string[]): Promise<Map<string, AssetHandle>>;
}

/** The way from the outside to a step, by the token of its attempt. */
export interface StepInbox {
  /** The newest body that a webhook brought; null: none yet. */
  delivery(token: string): Promise<Json | null>;
  /** Has the step polled at once, if it still waits. A hint: it may get lost. */
  wake(token: string): Promise<void>;
}
