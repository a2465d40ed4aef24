import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { completePayload } from '#libs/nodes/payload.js';
import { imageNames } from '#libs/instruction-set/image-values.js';
import type { InstructionSet, JsonObject, Step } from '#libs/instruction-set/instruction-set.js';
import { dependenciesOf } from '#libs/instruction-set/graph.js';
import { resolvePayload, type ResolutionScope } from '#libs/instruction-set/references.js';
import {
  AssetHandle, inputFault, NodeError, STORAGE_FAILED, worldFault, type AssetReader, type NodeDefinition, type NodeOutcome,
} from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import {
  foreignKey, type AssetLookup, type AssetStore, type Attempt, type GenerationState, type StepInbox,
  type StepResult, type StepWaiting, type WaitingAttempt,
} from './generation-store.js';
import { storableJson, storableTraits } from './storable.js';
import { originOf } from './step-origin.js';
import { createContext, type StepProgress } from './step-context.js';

/** How long a node may take to stop after its signal aborted; then the engine goes on without it. */
const STOP_MS = 3_000;
/** Stands in for a file until it is looked up. */
const UNKNOWN_FILE = new AssetHandle({ id: '', storageKey: '', name: '', mimeType: '', size: 0, sha256: '' });

export interface PreparedStep {
  step: Step;
  node: NodeDefinition;
  payload: JsonObject;
  /** SHA-256 of the resolved payload: equal inputs have equal digests. */
  digest: string;
}

export type StepOutcome =
  | { kind: 'done'; result: StepResult }
  | ({ kind: 'waiting' } & StepWaiting);

/** The nodes that a job's steps name: the built-in ones, and its versions of stored workflows. */
export interface StoredNodes {
  pinned(set: Pick<InstructionSet, 'workflows'>): Promise<NodeRegistry>;
}

/** Runs one attempt of one step: resolves its payload, calls its node, stores the files it made. */
export class StepRunner {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly files: AssetStore & AssetReader,
    private readonly lookup: AssetLookup,
    private readonly stored: StoredNodes = { pinned: async () => registry },
    private readonly inbox: StepInbox = { delivery: async () => null, wake: async () => undefined },
  ) {}

  /** The steps that each step waits for. */
  dependenciesOf(steps: readonly Step[]): Map<string, string[]> {
    return dependenciesOf(steps, this.registry);
  }

  /** Resolves references and variables and fills in defaults. Throws `NodeError` when that cannot be. */
  async prepare(state: GenerationState, step: Step): Promise<PreparedStep> {
    const node = (await this.stored.pinned(state.instructionSet)).find(step.nodeName);
    if (!node) throw inputFault('UNKNOWN_NODE', `There is no node "${step.nodeName}"`);
    const scope = {
      variables: state.values,
      images: imageNames(state.instructionSet.variables),
      output: (stepId: string, collection: string | null) =>
        collection === null ? state.finished.get(stepId) : state.foreign.get(foreignKey(stepId, collection)),
      schema: node.payload,
    };
    const files = await this.namedFiles(state, step, scope);
    const asset = (reference: string) => files.get(reference) ?? urlIn(reference);
    const resolved = resolvePayload(step.nodePayload, { ...scope, asset });
    const payload = completePayload(node, resolved);
    return { step, node, payload, digest: digestOf(payload) };
  }

  /** What the payload names by id or URL is known only once its variables are in place: a first pass collects it. */
  private async namedFiles(
    { userId, files }: GenerationState,
    step: Step,
    scope: Omit<ResolutionScope, 'asset'>,
  ): Promise<Map<string, AssetHandle>> {
    const named = new Set<string>();
    const collect = (reference: string) => {
      named.add(reference);
      return UNKNOWN_FILE;
    };
    resolvePayload(step.nodePayload, { ...scope, asset: collect });
    const allowed = [...named].filter((reference) => files?.has(reference) ?? true);
    return allowed.length === 0 ? new Map() : this.lookup.find(userId, allowed);
  }

  /** Calls the node: to begin, or (with `waiting`) to ask after what it began. Logs are kept on failure, too. */
  async run(call: {
    state: GenerationState;
    prepared: PreparedStep;
    /** Without a number: it is only worked out, and has no row yet. */
    attempt: Pick<Attempt, 'stepId' | 'token'> & Partial<Pick<Attempt, 'number'>>;
    waiting?: WaitingAttempt;
    lostTokens: readonly string[];
    signal: AbortSignal;
    logs: string[];
    onProgress(progress: StepProgress): void;
  }): Promise<StepOutcome> {
    const { state, prepared, attempt } = call;
    const passage = { jobId: state.jobId, generationId: state.generationId, stepId: attempt.stepId };
    tracepoint('step.before-run', passage);
    const limit = timeLimitOf(prepared);
    const timeout = new AbortController();
    // Ended with the call: `AbortSignal.timeout` would keep all that the step holds until its time is over.
    let timer: NodeJS.Timeout | undefined;
    const startClock = () => {
      clearTimeout(timer);
      timer = setTimeout(() => timeout.abort(), limit);
    };
    if (!prepared.node.takesTurns) startClock();
    const signal = AbortSignal.any([call.signal, timeout.signal]);
    const context = createContext({
      state, signal, startClock, payload: prepared.payload, stepId: attempt.stepId, token: attempt.token,
      assets: this.files, logs: call.logs, onProgress: call.onProgress,
      delivery: (token) => this.inbox.delivery(token),
      wake: (token) => void this.inbox.wake(token).catch(() => undefined),
    });
    const work = this.call(prepared.node, context, call.waiting, call.lostTokens);
    const outcome = await untilAborted(work, signal)
      .catch((error: unknown) => {
        if (call.signal.aborted) throw call.signal.reason;
        if (timeout.signal.aborted) throw inputFault('STEP_TIME_LIMIT', `The step took longer than ${limit} ms`);
        throw error;
      })
      .finally(() => clearTimeout(timer));
    tracepoint('step.after-run', passage);
    // Storing is not the node's time: storage has limits of its own.
    return this.settle(outcome, call, call.signal);
  }

  private async call(
    node: NodeDefinition,
    context: Parameters<NodeDefinition['run']>[0],
    waiting: WaitingAttempt | undefined,
    lostTokens: readonly string[],
  ): Promise<NodeOutcome> {
    if (waiting) return this.poll(node, context, waiting.reference);
    // Earlier attempts may have reached the outside before their worker died: look before calling again.
    for (const token of node.find ? lostTokens : []) {
      const found = await node.find?.(context, token);
      if (found !== null && found !== undefined) return this.poll(node, context, found);
    }
    return node.run(context);
  }

  private poll(node: NodeDefinition, ...call: Parameters<NonNullable<NodeDefinition['poll']>>) {
    if (!node.poll) throw new Error(`Node ${node.name} waits but has no poll`);
    return node.poll(...call);
  }

  private async settle(
    outcome: NodeOutcome,
    { state, prepared, attempt, logs }: {
      state: GenerationState; prepared: PreparedStep; attempt: Pick<Attempt, 'stepId' | 'token'>; logs: string[];
    },
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    if (outcome.kind === 'waiting') {
      const { reference, pollAfterMs = null, timeoutMs = null } = outcome;
      return { kind: 'waiting', reference: storableJson(reference), pollAfterMs, timeoutMs, logs };
    }
    const files = [];
    for (const [index, produced] of (outcome.assets ?? []).entries()) {
      files.push(await this.files.store({ ...ownerOf(state, attempt), index }, produced, signal).catch(storageFault));
    }
    if (state.renders && files.length === 0) throw inputFault('UPSTREAM_ERROR', 'The model gave no image');
    const [value, traits] = [storableJson(outcome.value), storableTraits(outcome.traits ?? [])];
    return { kind: 'done', result: { files, value, traits, logs, ...originOf(prepared.payload, outcome) } };
  }
}

const ownerOf = ({ userId, jobId, generationId, renders, seal }: GenerationState, { stepId, token }: Pick<Attempt, 'stepId' | 'token'>) => ({
  userId, jobId, generationId, stepId, ...(renders && { render: token }),
  ...(seal && { encryptedFor: seal.collectionId }),
});

/** A file of another host is the node's to load. */
const urlIn = (reference: string): string | undefined => (/^https?:\/\//i.test(reference) ? reference : undefined);

function storageFault(error: unknown): never {
  if (error instanceof NodeError) throw error;
  throw worldFault(STORAGE_FAILED, 'The file could not be stored');
}

function timeLimitOf({ node, payload }: PreparedStep): number {
  const own = payload['time_limit_ms'];
  // The node ends at its own limit with its own message; this one is the net below it.
  return (typeof own === 'number' ? own : node.timeLimitMs) + STOP_MS;
}

const digestOf = (payload: JsonObject): string =>
  createHash('sha256')
    .update(canonicalize(JSON.parse(JSON.stringify(payload, handleAsDigest))) ?? '')
    .digest('hex');

const handleAsDigest = (_key: string, value: unknown) =>
  value instanceof AssetHandle ? { asset: value.sha256 } : value;

/** Settles with `work`, or a moment after `signal` aborted when `work` does not stop by itself. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = () => setTimeout(() => reject(signal.reason), STOP_MS).unref();
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
