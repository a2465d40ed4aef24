import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { BodyFiller } from '#libs/json-inputs/body-filler.js';
import { NodeError, type NodeContext, type NodeOutcome, type Waiting } from '#libs/nodes/node.js';
import type { Expressions } from '#libs/sandbox/expressions.js';
import { SandboxUnavailable, ScriptError } from '#libs/sandbox/script-sandbox.js';
import { fetchTypeOf, isSuccess, methodOf, type ApiCall, type PollingPart, type ResultPart } from './api-call.js';
import { NoAnswer, upstreamFault, type ApiAnswer, type ApiClient } from './api-client.js';
import type { ApiOrder } from './api-order.js';
import type { ApiOutputs } from './api-outputs.js';
import { fillHeaders, fillUrl, parametersIn, secretsIn, WEBHOOK_URL } from './templates.js';

/** What a waiting step keeps. `token`: the one that the service knows the call by. */
type Reference =
  /** The call is to be made, perhaps again: nobody knows whether it was heard. */
  | { stage: 'call'; token: string; failures: number }
  | { stage: 'poll'; token: string; url: string; failures: number }
  | { stage: 'webhook'; token: string }
  /** The result is known, its files are not there yet. */
  | { stage: 'files'; results: Json[]; failures: number };

export interface ApiTools {
  client: ApiClient;
  outputs: ApiOutputs;
  expressions: Expressions;
  bodies: BodyFiller;
  /** Where services reach this installation. */
  publicUrl: string;
}

type Context = NodeContext<ApiOrder>;

/** Milliseconds until an answer begins. */
const ANSWER_MS = { response: 60_000, wait: 15 * 60_000, polling: 60_000, webhook: 60_000 };
const QUESTION_MS = 30_000;
/** For a result that is asked after or sent. */
const RESULT_MS = 15 * 60_000;
const MIN_RESULT_MS = 1_000;
const INTERVAL = { usual: 2_000, min: 200, max: 60_000 };
/** Without an answer, in a row. */
const MAX_FAILURES = { call: 3, poll: 8, files: 8 };
const FIRST_DELAY_MS = 1_000;

/**
 * One call of an API as a step: made once, under a token that the service can know it by again, and its result
 * had in one of four ways. While it waits it holds no slot.
 */
export class ApiStep {
  constructor(private readonly tools: ApiTools) {}

  run(context: Context): Promise<NodeOutcome> {
    return this.call(context, { stage: 'call', token: context.token, failures: 0 });
  }

  async poll(context: Context, stored: Json): Promise<NodeOutcome> {
    const reference = stored as unknown as Reference;
    if (reference.stage === 'poll') return this.ask(context, reference);
    if (reference.stage === 'files') return this.files(context, reference.results, reference.failures);
    const isAwaited = fetchTypeOf(context.payload.api) === 'webhook';
    const delivered = isAwaited ? await context.delivery(reference.token) : null;
    if (delivered !== null) {
      return this.result(context, delivered, context.payload.api.webhook).catch((error: unknown) => {
        if (!(error instanceof SandboxUnavailable)) throw error;
        return waitFor(context, reference, FIRST_DELAY_MS);
      });
    }
    return reference.stage === 'call' ? this.call(context, reference) : waitFor(context, reference);
  }

  /** The call is made again under the lost token: a service that honours it does nothing twice. */
  find(lostToken: string): Json {
    return { stage: 'call', token: lostToken, failures: 0 };
  }

  private async call(context: Context, reference: Reference & { stage: 'call' }): Promise<NodeOutcome> {
    try {
      return await this.proceed(context, await this.send(context, reference.token), reference.token);
    } catch (error) {
      // An attempt of its own would call under another key, which may be paid for again.
      const { message, retryMs } = passingFault(error);
      const failures = reference.failures + 1;
      if (failures >= MAX_FAILURES.call) throw upstreamFault(message);
      context.log(`${message}. The call will be made again with the same Idempotency-Key.`);
      return waitFor(context, { ...reference, failures }, Math.max(retryMs, FIRST_DELAY_MS * 2 ** failures));
    }
  }

  private async send(context: Context, token: string): Promise<ApiAnswer> {
    const { api, body, placed, webhookPaths } = context.payload;
    const webhookUrl = `${this.tools.publicUrl.replace(/\/+$/, '')}/webhooks/steps/${token}`;
    const sent = webhookPaths.map((pathJq) => ({ pathJq, value: webhookUrl, as: 'data_url' as const }));
    const filled = body === undefined
      ? undefined
      : await this.tools.bodies.fill(body, [...placed, ...sent], context).catch(toldOfProgram);
    const headers = await this.headers(context, api.headers ?? {}, webhookUrl);
    return this.tools.client.call(
      {
        url: api.url,
        method: methodOf(api, body),
        headers: { accept: 'application/json, */*;q=0.5', 'content-type': 'application/json', 'idempotency-key': token, ...headers },
        ...(filled !== undefined && { body: JSON.stringify(filled) }),
        timeoutMs: answerMs(api),
        signal: context.signal,
      },
      (status) => isSuccess(status, api.successResponseCode),
    );
  }

  /** Names in lower case, so that an author's own replaces ours. */
  private async headers(context: Context, given: Record<string, string>, webhookUrl?: string): Promise<Record<string, string>> {
    const values = new Map(webhookUrl === undefined ? [] : [[WEBHOOK_URL, webhookUrl]]);
    for (const name of secretsIn(given)) values.set(name, await context.secret(name));
    const filled = Object.entries(fillHeaders(given, values));
    return Object.fromEntries(filled.map(([name, value]) => [name.toLowerCase(), value]));
  }

  private async proceed(context: Context, answer: ApiAnswer, token: string): Promise<NodeOutcome> {
    const { api } = context.payload;
    const type = fetchTypeOf(api);
    if (type === 'response' || type === 'wait') return this.answered(context, answer, api[type]);
    if ('file' in answer) answer.file.destroy();
    if (type === 'webhook') return waitFor(context, { stage: 'webhook', token });
    const polling = api.polling as PollingPart;
    const url = await this.pollUrl(polling, 'data' in answer ? answer.data : null, context.signal);
    return waitFor(context, { stage: 'poll', token, url, failures: 0 }, intervalOf(polling));
  }

  private async pollUrl({ url, params }: PollingPart, data: Json, signal: AbortSignal): Promise<string> {
    const values = new Map<string, Json | undefined>();
    for (const name of parametersIn(url)) {
      const [value] = await this.tools.expressions.jq(params?.[name]?.exprJq ?? '.', data, signal).catch(toldOfProgram);
      values.set(name, value);
    }
    const filled = fillUrl(url, values);
    if (filled === undefined) throw upstreamFault('The answer does not hold what the next URL needs');
    return filled;
  }

  private async ask(context: Context, reference: Reference & { stage: 'poll' }): Promise<NodeOutcome> {
    const { api } = context.payload;
    const polling = api.polling as PollingPart;
    const headers = await this.headers(context, polling.headers ?? api.headers ?? {});
    const request = {
      url: reference.url, method: polling.method ?? 'GET', headers: { accept: 'application/json, */*;q=0.5', ...headers },
      timeoutMs: QUESTION_MS, signal: context.signal,
    } as const;
    const isAnswer = (status: number) => isSuccess(status, undefined) || isSuccess(status, polling.successResponseCode);
    try {
      const answer = await this.tools.client.call(request, isAnswer);
      const waits = !(await this.isReady(polling, answer, context.signal));
      if (waits) return waitFor(context, { ...reference, failures: 0 }, intervalOf(polling));
      return await this.answered(context, answer, polling);
    } catch (error) {
      const { message, retryMs } = passingFault(error);
      const failures = reference.failures + 1;
      if (failures >= MAX_FAILURES.poll) throw upstreamFault(message);
      const delay = Math.max(retryMs, intervalOf(polling), FIRST_DELAY_MS * 2 ** Math.min(failures, 5));
      return waitFor(context, { ...reference, failures }, delay);
    }
  }

  /** Throws when the answer neither says that the work is done nor that it goes on. */
  private async isReady(polling: PollingPart, answer: ApiAnswer, signal: AbortSignal): Promise<boolean> {
    if (!isSuccess(answer.status, polling.successResponseCode)) return false;
    if ('file' in answer) return true;
    const { continueWhenExpr, stopWhenExpr } = polling;
    const holds = (expression: string) =>
      this.tools.expressions.holds(expression, answer.data, signal).catch(toldOfProgram);
    if (stopWhenExpr && (await holds(stopWhenExpr))) return true;
    const goesOn = continueWhenExpr ? await holds(continueWhenExpr) : Boolean(stopWhenExpr);
    if (!goesOn && stopWhenExpr) throw upstreamFault('The API says neither that the work is done nor that it goes on');
    return !goesOn;
  }

  private async answered(context: Context, answer: ApiAnswer, part: ResultPart | null | undefined): Promise<NodeOutcome> {
    if ('data' in answer) return this.result(context, answer.data, part);
    return { kind: 'done', assets: [{ name: 'output-1', bytes: answer.file }] };
  }

  private async result(context: Context, data: Json, part: ResultPart | null | undefined): Promise<NodeOutcome> {
    const program = part?.outputExprJq;
    const results = program
      ? await this.tools.expressions.jq(program, data, context.signal).catch(toldOfProgram)
      : [data];
    return this.files(context, results, 0);
  }

  private async files(context: Context, results: Json[], failures: number): Promise<NodeOutcome> {
    try {
      return await this.tools.outputs.outcomeOf(results, context.payload.outputType, context.signal);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (failures + 1 >= MAX_FAILURES.files) throw upstreamFault(error.message);
      const reference: Reference = { stage: 'files', results, failures: failures + 1 };
      return waitFor(context, reference, FIRST_DELAY_MS * 2 ** failures);
    }
  }
}

/** Of what another try may help against; throws all else. */
function passingFault(error: unknown): { message: string; retryMs: number } {
  if (error instanceof NoAnswer) return { message: error.message, retryMs: 0 };
  if (error instanceof SandboxUnavailable) return { message: 'A program of the workflow could not be run', retryMs: 0 };
  if (!(error instanceof NodeError) || error.permanent) throw error;
  return { message: error.message, retryMs: error.retryAfterMs ?? 0 };
}

/** Without `pollAfterMs` only a delivery, or the end of its time, ends the wait. */
function waitFor({ payload: { api } }: { payload: { api: ApiCall } }, reference: Reference, pollAfterMs?: number): Waiting {
  const type = fetchTypeOf(api);
  // Where the answer is the result, `timeout` is one answer's.
  const own = type === 'polling' || type === 'webhook' ? api[type]?.timeout : undefined;
  const timeoutMs = Math.max(MIN_RESULT_MS, own ?? RESULT_MS);
  return {
    kind: 'waiting', reference: reference as unknown as JsonObject, timeoutMs, ...(pollAfterMs !== undefined && { pollAfterMs }),
  };
}

function answerMs(api: ApiCall): number {
  const type = fetchTypeOf(api);
  const own = type === 'response' || type === 'wait' ? api[type]?.timeout : undefined;
  return Math.max(MIN_RESULT_MS, own ?? ANSWER_MS[type]);
}

const intervalOf = ({ interval }: PollingPart): number =>
  Math.min(INTERVAL.max, Math.max(INTERVAL.min, interval ?? INTERVAL.usual));

/** A program that was sound when it was saved does not fit what the service said. Its own words would quote that. */
function toldOfProgram(error: unknown): never {
  if (error instanceof ScriptError) throw upstreamFault(UNFIT[error.reason]);
  throw error;
}

const UNFIT: Record<ScriptError['reason'], string> = {
  error: 'The answer is not as the workflow expects it',
  time_limit: 'A program of the workflow took too long over the answer',
  memory_limit: 'A program of the workflow took too much memory over the answer',
  result: 'A program of the workflow made of the answer what is not JSON',
};
