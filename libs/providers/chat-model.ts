import { buffer } from 'node:stream/consumers';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { OutboundAnswer, OutboundClient } from '#libs/outbound/outbound-client.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import { ProviderError } from './provider.js';
import { retryAfter } from './replicate-api.js';
import { membersOf } from './replicate-prediction.js';

export interface ChatSettings {
  /** Of any endpoint that speaks OpenAI's protocol, with its `/v1`. */
  baseUrl: string;
  /** Absent: the endpoint wants none. */
  apiKey?: string;
  /** False: nobody has said whom to ask. */
  isSetUp: boolean;
}

/** A model writes for as long as this, and not more than that. */
const ANSWER_MS = 120_000;
const MAX_ANSWER_BYTES = 1024 ** 2;

/**
 * Language models behind OpenAI's `POST /chat/completions`. The protocol has no way to ask after a call: one whose
 * answer was lost is made again under the same `Idempotency-Key`, which spares a second run where the endpoint
 * honours it.
 */
export class ChatModel {
  constructor(
    private readonly client: OutboundClient,
    private readonly settings: ChatSettings,
  ) {}

  /** The model's answer to one message. Throws `ProviderError`, or the signal's reason. */
  async answer(model: string, message: string, key: string, signal: AbortSignal): Promise<string> {
    const { baseUrl, apiKey, isSetUp } = this.settings;
    if (!isSetUp) throw new ProviderError('refused', 'No language model is set up: OPENAI_API_KEY is missing');
    const answer = await this.client.request(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        accept: 'application/json', 'content-type': 'application/json', 'idempotency-key': key,
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: message }] }),
      totalMs: ANSWER_MS, headersMs: ANSWER_MS, maxBytes: MAX_ANSWER_BYTES, signal,
    }).catch(told);
    const json = parsed(await buffer(answer.body).catch(told));
    if (answer.status !== 200) throw faultOf(answer, json);
    return textIn(json);
  }
}

function textIn(json: Json | undefined): string {
  const { choices } = membersOf(json);
  const { content, refusal } = membersOf(membersOf(Array.isArray(choices) ? choices[0] : undefined)['message']);
  if (typeof refusal === 'string') throw new ProviderError('input', 'The model refuses the prompt');
  if (typeof content === 'string') return content;
  throw new ProviderError('answer', 'The model gave no text');
}

function told(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error;
  if (error.reason === 'too_large') throw new ProviderError('answer', "The model's answer is larger than 1 MiB");
  throw new ProviderError(error.permanent ? 'answer' : 'unavailable', 'The language model could not be reached');
}

function faultOf({ status, headers }: OutboundAnswer, json: Json | undefined): ProviderError {
  const { message } = membersOf(membersOf(json)['error']);
  const words = typeof message === 'string' ? message : '';
  if (status === 429) return new ProviderError('throttled', 'The language model takes no more requests now', retryAfter(headers, words));
  if (status === 401 || status === 403) return new ProviderError('refused', "The language model refuses the operator's key");
  if (status === 404) return new ProviderError('missing', 'There is no such language model');
  if (status === 408 || status >= 500) return new ProviderError('unavailable', `The language model answered with status ${status}`);
  return new ProviderError('input', 'The language model refuses the prompt');
}

function parsed(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    return undefined;
  }
}
