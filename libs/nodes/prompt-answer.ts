import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { ChatModel } from '#libs/providers/chat-model.js';
import { ProviderError } from '#libs/providers/provider.js';
import { inputFault, type NodeContext, type NodeOutcome } from './node.js';
import { toldOf, upstreamFault } from './predictions/faults.js';

/** What a step keeps that asks again. */
interface Reference {
  /** The same for each call of one attempt, and for the attempt after a worker's death. */
  key: string;
  failures: number;
  /** Refusals for being too busy: they do not make the service a broken one. */
  busy: number;
}

const MAX_FAILURES = 4;
const FIRST_DELAY_MS = 500;
/** Five minutes of refusals for being too busy, at the usual pace. */
const MAX_BUSY = 20;

export interface Question {
  model: string;
  message: string;
  key: string;
}

/** Asks a model; where it is busy or away, the step waits without a slot and asks again under the same key. */
export async function answerOf(
  chat: ChatModel,
  { model, message, key }: Question,
  { signal }: Pick<NodeContext, 'signal'>,
  { failures, busy }: Pick<Reference, 'failures' | 'busy'> = { failures: 0, busy: 0 },
): Promise<NodeOutcome> {
  try {
    return { kind: 'done', value: await chat.answer(model, message, key, signal), madeWith: { model } };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.fault === 'missing') throw inputFault('VALIDATION_ERROR', `${error.message}: ${model}`);
    const isBusy = error.fault === 'throttled';
    if (!isBusy && error.fault !== 'unavailable') throw toldOf(error, upstreamFault(error.message));
    const next = isBusy ? { failures, busy: busy + 1 } : { failures: failures + 1, busy };
    if (next.failures >= MAX_FAILURES || next.busy >= MAX_BUSY) throw upstreamFault(error.message);
    const delay = error.retryAfterMs ?? FIRST_DELAY_MS * 2 ** failures;
    return {
      kind: 'waiting', reference: { key, ...next }, pollAfterMs: Math.round(delay * (1 + Math.random() / 4)),
    };
  }
}

/** After a worker's death nobody knows whether the model was asked: the same key tells it that it was. */
export const referenceTo = (key: string): Json => ({ key, failures: 0, busy: 0 });

export const readReference = (stored: Json): Reference => stored as unknown as Reference;
