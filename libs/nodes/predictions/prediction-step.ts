import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ProviderError, type Prediction, type PredictionRequest, type Provider } from '#libs/providers/provider.js';
import type { NodeContext, NodeOutcome, Waiting } from '../node.js';
import { toldOf, upstreamFault } from './faults.js';
import { knownInput, outcomeOf, sentInput } from './files.js';

/** What a model of a provider is asked for. */
export interface ModelCall {
  model: string;
  input: JsonObject;
}

type Context = NodeContext<unknown>;

/** What a waiting step keeps. `prediction`: null while it is not known whether there is one. */
interface Reference {
  prediction: string | null;
  /** Whether it may have been asked for: false as long as every request was refused as one too many. */
  sent: boolean;
  /** The token it is known by. */
  token: string;
  /** When it was first asked for, in milliseconds since 1970. */
  since: number;
  /** Failures in a row. */
  failures: number;
  /** Milliseconds that the last wait took. */
  interval: number;
  /** It was found for an attempt that has not kept it yet. */
  isFound?: true;
}

/**
 * How soon a prediction is first asked after, and how rarely at last: each look comes later than the one before.
 * Where the provider reports the end, looking is only for reports that are lost.
 */
const PACE = { asking: { firstMs: 1_000, mostMs: 120_000 }, reported: { firstMs: 20_000, mostMs: 300_000 } };
const GROWTH = 1.5;
const RETRY_MS = 1_000;
/** Failures in a row to begin a prediction, or answers that there is no such one. */
const MAX_FAILURES = 4;
/** A prediction in a state that nobody knows does not keep its step for ever. */
const TIMEOUT_MS = 3_600_000;
const CALL_MS = 30_000;

/**
 * One prediction as a step: begun once, then asked after at growing intervals without holding a slot. Each time
 * it is not sure whether a prediction was begun, the provider is asked before another is. That the provider is
 * busy or away costs none of the step's attempts, since a new attempt would be a new prediction.
 */
export class PredictionStep {
  private readonly pace: { firstMs: number; mostMs: number };

  constructor(
    private readonly provider: Provider,
    firstPollMs?: number,
  ) {
    const pace = provider.reports ? PACE.reported : PACE.asking;
    this.pace = { ...pace, ...(firstPollMs !== undefined && { firstMs: firstPollMs }) };
  }

  run(context: Context, call: ModelCall): Promise<NodeOutcome> {
    return this.begin(context, call, this.newReference(context.token));
  }

  async find(call: ModelCall, lostToken: string, signal: AbortSignal): Promise<Json | null> {
    // When the lost attempt began is not known here: all that the provider still lists is looked through.
    const reference = { ...this.newReference(lostToken), since: 0, sent: true };
    try {
      const found = await this.look(call, reference, signal);
      return found && kept({ ...reference, prediction: found.id, isFound: true });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return kept({ ...reference, failures: 1 });
    }
  }

  async poll(context: Context, call: ModelCall, stored: Json): Promise<NodeOutcome> {
    const { isFound, ...reference } = stored as unknown as Reference;
    // It is kept before it is judged: what was made is known by its prediction, too.
    if (isFound) return waitFor(reference, 0);
    try {
      if (reference.prediction !== null) {
        const prediction = await this.provider.get(reference.prediction, context.signal);
        return await this.judge(context, call, prediction, reference);
      }
      // Looking is up to twenty pages, of a service that is asked too much already.
      const found = reference.sent ? await this.look(call, reference, context.signal) : null;
      if (found) return waitFor({ ...reference, prediction: found.id, failures: 0 }, 0);
    } catch (error) {
      return this.waitOut(error, reference);
    }
    return this.begin(context, call, { ...reference, since: Date.now() });
  }

  async cancel(stored: Json, signal: AbortSignal): Promise<void> {
    const { prediction } = stored as unknown as Reference;
    // One that nobody knows the id of ends by itself, if there is one.
    if (prediction !== null) await this.provider.cancel(prediction, signal);
  }

  private async begin(context: Context, call: ModelCall, reference: Reference): Promise<NodeOutcome> {
    try {
      const input = await sentInput(call.input, { ...context, provider: this.provider });
      context.signal.throwIfAborted();
      const { id } = await this.submit(context, { model: call.model, input, token: reference.token });
      return waitFor({ ...reference, prediction: id, failures: 0, sent: true }, this.pace.firstMs);
    } catch (error) {
      const isRefused = error instanceof ProviderError && error.fault === 'throttled';
      return this.waitOut(error, { ...reference, sent: reference.sent || !isRefused });
    }
  }

  /** Does not break off with the step: a prediction that was begun is known, or else cancelled. */
  private async submit({ signal }: Context, request: PredictionRequest): Promise<Prediction> {
    const prediction = await this.provider.submit(request, AbortSignal.timeout(CALL_MS));
    if (!signal.aborted) return prediction;
    await this.provider.cancel(prediction.id, AbortSignal.timeout(CALL_MS));
    throw signal.reason;
  }

  private async look({ model, input }: ModelCall, { token, since }: Reference, signal: AbortSignal) {
    return this.provider.find({ model, input: await knownInput(input), token }, since, signal);
  }

  private async judge(
    context: Context,
    { model }: ModelCall,
    prediction: Prediction,
    reference: Reference,
  ): Promise<NodeOutcome> {
    const { state, output, isRemoved, progress } = prediction;
    if (state === 'failed') throw upstreamFault('The prediction failed');
    if (state === 'canceled') throw upstreamFault(`The prediction was stopped at ${this.provider.name}`);
    if (state === 'succeeded') {
      if (isRemoved) throw upstreamFault('The output of the prediction was removed before it was copied');
      const { id, version } = prediction;
      const madeWith = { provider: this.provider.name, model, ...(version && { version }), prediction: id };
      return { ...outcomeOf(output, this.provider, context.signal), madeWith };
    }
    if (progress !== null) context.progress(progress);
    return this.later({ ...reference, failures: 0 });
  }

  /** Waits where asking again may help; throws the step's verdict where it will not. */
  private waitOut(error: unknown, reference: Reference): Waiting {
    if (!(error instanceof ProviderError)) throw error;
    if (error.fault === 'throttled') return waitFor(reference, error.retryAfterMs);
    const isBegun = reference.prediction !== null;
    if (isBegun && error.fault !== 'missing') return this.later(reference);
    const failures = reference.failures + 1;
    const mayPass = isBegun || ['unavailable', 'answer'].includes(error.fault);
    if (!mayPass || failures >= MAX_FAILURES) throw toldOf(error, upstreamFault(error.message));
    const waiting = { ...reference, failures };
    return isBegun ? this.later(waiting) : waitFor(waiting, Math.min(RETRY_MS, this.pace.firstMs) * 2 ** reference.failures);
  }

  private later(reference: Reference): Waiting {
    const interval = Math.min(this.pace.mostMs, reference.interval * GROWTH);
    return waitFor({ ...reference, interval }, interval);
  }

  private newReference(token: string): Reference {
    return { prediction: null, sent: false, token, since: Date.now(), failures: 0, interval: this.pace.firstMs };
  }
}

const kept = (reference: Reference): Json => ({ ...reference });

/** Never do all of a crowd look at once. */
const waitFor = (reference: Reference, afterMs = PACE.asking.firstMs): Waiting => ({
  kind: 'waiting',
  reference: kept(reference),
  pollAfterMs: Math.round(afterMs * (1 + Math.random() / 4)),
  timeoutMs: TIMEOUT_MS,
});
