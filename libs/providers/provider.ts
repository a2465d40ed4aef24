import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';

/** Where a prediction is. The last three are ends; a state that nobody knows counts as `processing`. */
export type PredictionState = 'starting' | 'processing' | 'succeeded' | 'failed' | 'canceled';

/** A run of a model at a provider, as far as all providers have it. */
export interface Prediction {
  id: string;
  state: PredictionState;
  /** What the model gave, with files as URLs that `Provider.isFile` knows. Null until then, or when removed. */
  output: Json;
  /** It had an output, which the provider no longer keeps. */
  isRemoved: boolean;
  /** From 0 to 1, where the model's log tells. */
  progress: number | null;
  /** Which version of the model runs it; null where the provider does not tell. */
  version: string | null;
}

export interface PredictionRequest {
  /** The model, or a version of it, as the provider names it. */
  model: string;
  /** What the model is given. Files are URLs already; `anyUrl` where they are not known. */
  input: JsonObject;
  /** Unguessable and the attempt's own: `find` knows the prediction by it. */
  token: string;
}

/** In the input of a request to `find`: stands for a file whose URL was made for an attempt that is lost. */
export const anyUrl = { url: '*' } as const;

export interface UploadedFile {
  name: string;
  mimeType: string;
  size: number;
  open(): Promise<Readable>;
}

/** A webhook that its provider has signed. */
export interface ProviderWebhook {
  /** The same for each repeat of one webhook. */
  id: string;
  prediction: Prediction;
}

/**
 * A service that runs models. A new one is one file here, its test, and one line in `index.ts`. Whatever fails
 * is a `ProviderError`, or the signal's reason; each call ends within a minute, a download and `find` apart.
 */
export interface Provider {
  readonly name: string;
  /** Whether it reports the end of predictions by webhooks. */
  readonly reports: boolean;
  /** Starts a prediction. With `unavailable` and `answer` it may have begun all the same: `find` tells. */
  submit(request: PredictionRequest, signal: AbortSignal): Promise<Prediction>;
  /** The prediction that this request has started, not before `since` (milliseconds since 1970), if there is one. */
  find(request: PredictionRequest, since: number, signal: AbortSignal): Promise<Prediction | null>;
  get(id: string, signal: AbortSignal): Promise<Prediction>;
  /** Idempotent. */
  cancel(id: string, signal: AbortSignal): Promise<void>;
  /** Hands a file over for inputs; returns its URL there. */
  upload(file: UploadedFile, signal: AbortSignal): Promise<string>;
  /** Whether a text of an output is the URL of a file. */
  isFile(text: string): boolean;
  /** The file's bytes, asked for when they are first read. They go on where they were cut. */
  download(url: string, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Reads a webhook by its raw body. Throws `ProviderError` (`signature`) when it is not the provider's own. */
  readWebhook(headers: IncomingHttpHeaders, rawBody: Buffer): ProviderWebhook;
}

export type ProviderFault =
  /** The model refuses its input. */
  | 'input'
  /** No such model, version, prediction or file. */
  | 'missing'
  /** This installation may not ask: no token, a wrong one, no credit there. */
  | 'refused'
  /** Too many requests; nothing has happened. */
  | 'throttled'
  /** It cannot be reached, or is broken. */
  | 'unavailable'
  /** The answer is not one that is understood. */
  | 'answer'
  /** A webhook without a signature that counts. */
  | 'signature';

/** Its message is ours, and fit for a stranger: nothing of what the provider answered is in it. */
export class ProviderError extends Error {
  constructor(
    readonly fault: ProviderFault,
    message: string,
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = 'ProviderError';
  }
}
