import { NoAnswer, upstreamFault } from '#libs/fetch-api/api-client.js';
import { ApiOutputs } from '#libs/fetch-api/api-outputs.js';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { parseOutputPath } from '#libs/instruction-set/output-path.js';
import { BodyFiller } from '#libs/json-inputs/body-filler.js';
import type { PlacedInput } from '#libs/json-inputs/json-inputs.js';
import type { OutboundClient } from '#libs/outbound/outbound-client.js';
import {
  ServiceQueueUnavailable, type ServiceJob, type ServiceJobListener, type ServiceJobReference, type ServiceJobState,
  type ServiceQueue,
} from '#libs/queue/service-queue.js';
import { Expressions } from '#libs/sandbox/expressions.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { defineNode, worldFault, type NodeContext, type NodeOutcome, type Waiting } from './node.js';

/** A queue job as its stored workflow and one edition's values make it. */
export interface DirectJobOrder {
  service: string;
  /** `job` as its author wrote it, and what goes into it. */
  job: JsonObject;
  placed: PlacedInput[];
  priority: number;
  responseType: 'text' | 'json' | 'image' | 'file';
  /** Where in the result the output is; null: all of it. */
  outputField: string | null;
  timeoutMs: number;
}

/** What a waiting step keeps. */
interface Reference {
  /** Null: whether the queue has it is not known. */
  job: ServiceJobReference | null;
  token: string;
  interval: number;
  /** How often the queue has lost it, or could not take it. */
  losses: number;
}

/** Only for events that are lost: a job's end wakes its step. */
const POLL = { firstMs: 2_000, growth: 1.5, mostMs: 30_000 };
const MAX_LOSSES = 10;

/** What a service's result becomes, by the words of `ApiOutputs`. */
const TYPES = { text: 'text/plain', json: 'application/json', image: 'image/*', file: 'application/octet-stream' };

/**
 * Gives a job to a service outside by a queue, and waits for its result without holding a slot. The job's id is
 * the attempt's token: what was added is not added twice, and a queue that lost its jobs gets them again.
 */
export const directJobNode = (queue: ServiceQueue, scripts: ScriptSandbox, outbound: OutboundClient) => {
  const step = new DirectJobStep(queue, new BodyFiller(new Expressions(scripts)), new ApiOutputs(outbound));
  return defineNode<DirectJobOrder>({
    name: 'direct_job',
    aliases: [],
    title: 'Job of an outside service',
    lane: 'provider',
    storedOnly: true,
    payload: { type: 'object', properties: { job: { type: 'object', verbatim: true } } },
    timeLimitMs: 60_000,
    asksOutside: () => true,
    run: (context) => step.add(context, context.token),
    poll: (context, reference) => step.look(context, reference as unknown as Reference),
    find: async (context, lostToken) => step.find(context, lostToken),
    cancel: async (reference) => {
      const { job } = reference as unknown as Reference;
      if (job) await queue.cancel(job);
    },
  });
};

type Context = NodeContext<DirectJobOrder>;

class DirectJobStep {
  constructor(
    private readonly queue: ServiceQueue,
    private readonly bodies: BodyFiller,
    private readonly outputs: ApiOutputs,
  ) {}

  async add(context: Context, token: string, losses = 0): Promise<NodeOutcome> {
    const { payload, edition } = context;
    const filled = (await this.bodies.fill(payload.job, payload.placed, context)) as JsonObject;
    const job: ServiceJob = {
      token, service: payload.service, priority: payload.priority,
      payload: filled['payload'] ?? {}, requirements: filled['requirements'] ?? null, ...edition,
    };
    try {
      const added = await this.queue.add(job, listenerOf(context));
      return waiting(context, { job: added, token, interval: POLL.firstMs, losses });
    } catch (error) {
      return away(error, context, { job: null, token, interval: POLL.firstMs, losses: losses + 1 });
    }
  }

  async find({ payload }: Context, token: string): Promise<Json | null> {
    const reference = { token, interval: POLL.firstMs, losses: 0 };
    try {
      const job = await this.queue.find(payload.service, token);
      return job && ({ ...reference, job: { ...job } } as Json);
    } catch (error) {
      if (!(error instanceof ServiceQueueUnavailable)) throw error;
      return { ...reference, job: null };
    }
  }

  async look(context: Context, reference: Reference): Promise<NodeOutcome> {
    const { token, losses } = reference;
    try {
      const job = reference.job ?? (await this.queue.find(context.payload.service, token));
      if (!job) return await this.add(context, token, losses);
      this.queue.follow(job, listenerOf(context));
      const found = await this.queue.look(job);
      if (found.state !== 'lost') return await this.judge(context, found, { ...reference, job });
    } catch (error) {
      return away(error, context, { ...reference, losses: losses + 1 });
    }
    if (losses >= MAX_LOSSES) throw worldFault('UPSTREAM_ERROR', 'The queue does not keep the job');
    return this.add(context, token, losses + 1);
  }

  private async judge(context: Context, found: ServiceJobState, reference: Reference): Promise<NodeOutcome> {
    const { payload, signal } = context;
    if (found.state === 'failed') throw worldFault('UPSTREAM_ERROR', `The service ${payload.service} failed`);
    if (found.progress !== null) context.progress(found.progress);
    if (found.state !== 'completed') return waiting(context, { ...reference, losses: 0 });
    const result = partOf(found.result, payload.outputField);
    if (result === undefined) throw upstreamFault(`The result of ${payload.service} has no ${payload.outputField}`);
    const given = payload.responseType === 'text' && typeof result !== 'string' ? JSON.stringify(result) : result;
    try {
      return await this.outputs.outcomeOf([given], TYPES[payload.responseType], signal);
    } catch (error) {
      if (error instanceof NoAnswer && reference.losses < MAX_LOSSES) {
        return waiting(context, { ...reference, losses: reference.losses + 1 });
      }
      throw error instanceof NoAnswer ? upstreamFault(error.message) : error;
    }
  }
}

const listenerOf = (context: Context): ServiceJobListener => ({
  progress: (fraction) => context.progress(fraction),
  ended: () => context.wake(),
});

function waiting({ payload }: Context, reference: Reference): Waiting {
  const interval = Math.min(POLL.mostMs, reference.interval * POLL.growth);
  return {
    kind: 'waiting', reference: { ...reference, interval } as unknown as Json,
    pollAfterMs: reference.interval, timeoutMs: payload.timeoutMs,
  };
}

/** A queue that is away for a while costs no attempt. */
function away(error: unknown, context: Context, reference: Reference): Waiting {
  if (!(error instanceof ServiceQueueUnavailable)) throw error;
  if (reference.losses > MAX_LOSSES) throw worldFault('UPSTREAM_ERROR', error.message);
  return waiting(context, reference);
}

/** Lists of objects answer for each of them: `images.url` of `{ images: [{ url }] }` are all URLs. */
function partOf(result: Json, path: string | null): Json | undefined {
  const keys = path === null ? [] : (parseOutputPath(path) ?? [path]);
  return keys.reduce<Json | undefined>(memberOf, result);
}

function memberOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, key)) return (value as JsonObject)[key];
  const members = Array.isArray(value) ? value.map((item) => memberOf(item, key)).filter((item) => item !== undefined) : [];
  return members.length > 0 ? members : undefined;
}
