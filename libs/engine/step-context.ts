import { randomStream, SeededRandom } from '#libs/instruction-set/random.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { inputFault, type AssetReader, type NodeContext } from '#libs/nodes/node.js';
import type { GenerationState } from './generation-store.js';
import { storableText } from './storable.js';

/** Lines of a step's log that are kept, characters of each, and of all. */
const LOG_LINES = 100;
const LOG_LINE_LENGTH = 2_000;
const LOG_LENGTH = 20_000;

export interface StepProgress {
  stepId: string;
  fraction: number;
  message: string | null;
}

export interface ContextParts {
  state: GenerationState;
  stepId: string;
  token: string;
  payload: JsonObject;
  signal: AbortSignal;
  /** The node's time begins. */
  startClock(): void;
  assets: AssetReader;
  /** What came in for an attempt, by its token. */
  delivery(token: string): Promise<Json | null>;
  /** Has the step of that attempt polled at once. */
  wake(token: string): void;
  /** Where the step's log lines go. */
  logs: string[];
  onProgress(progress: StepProgress): void;
}

/** The narrow view of the world that one attempt gets. */
export function createContext(parts: ContextParts): NodeContext {
  const { state, stepId, logs } = parts;
  return {
    payload: parts.payload,
    hash: state.hash,
    generationIndex: state.index,
    edition: { userId: state.userId, jobId: state.jobId, generationId: state.generationId, of: state.editions },
    variables: state.values,
    random: new SeededRandom(randomStream(state.hash, `step:${seedOf(state, stepId)}`)),
    token: parts.token,
    signal: parts.signal,
    startClock: parts.startClock,
    assets: {
      read: (handle) => parts.assets.read(handle, parts.signal),
      open: (handle) => parts.assets.open(handle, parts.signal),
    },
    delivery: (token = parts.token) => parts.delivery(token),
    wake: () => parts.wake(parts.token),
    secret: async () => {
      throw inputFault('NO_SECRET', 'Only stored workflows have secrets');
    },
    progress: (fraction, message) =>
      parts.onProgress({ stepId, fraction: clamp(fraction), message: message ? storableText(message.slice(0, 200)) : null }),
    log: (line) => {
      logs.push(storableText(line.slice(0, LOG_LINE_LENGTH)));
      while (logs.length > LOG_LINES || lengthOf(logs) > LOG_LENGTH) logs.shift();
    },
  };
}

/**
 * A step's place in its graph, not its id: ids are new in each collection, and the same set with the same
 * hash gives the same bytes in all of them.
 */
const seedOf = (state: GenerationState, stepId: string): number =>
  state.instructionSet.steps.findIndex((step) => String(step.id) === stepId);

const lengthOf = (lines: string[]): number => lines.reduce((sum, { length }) => sum + length, 0);

const clamp = (fraction: number): number => (fraction >= 0 ? Math.min(1, fraction) : 0);
