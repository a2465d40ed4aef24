import { createHash, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { OutboundClient } from '#libs/outbound/outbound-client.js';
import {
  ProviderError, type Prediction, type PredictionRequest, type Provider, type ProviderWebhook, type UploadedFile,
} from './provider.js';
import { ReplicateApi } from './replicate-api.js';
import { likenessOf, membersOf, readPrediction, type Mark } from './replicate-prediction.js';
import { resumedBytes } from './resumed-bytes.js';
import { verifiedWebhookId } from './standard-webhooks.js';

export interface ReplicateSettings {
  /** One without a path gets `/v1`. */
  baseUrl: string;
  /** Absent: every call is refused. */
  apiToken?: string;
  webhookSecret?: string;
  /** Without a secret, takes webhooks unjudged. */
  allowsUnsigned?: boolean;
  /** Where Replicate reports the end of an attempt's prediction; absent: nowhere, it is asked. */
  webhookUrl?(token: string): string;
}

const FILES_MAX_BYTES = 100 * 1024 ** 2;
/** Pages of predictions, 100 each, that are looked through for one whose answer was lost. */
const PAGES = 20;
/** Replicate keeps predictions of the API for an hour. */
const KEPT_MS = 3_600_000;
const CLOCK_SKEW_MS = 60_000;
/** A prediction that nobody can cancel any more ends by itself after one to six hours: its lifetime is its mark. */
const LIFETIME = { leastSeconds: 3_600, stepSeconds: 2, steps: 9_000 };
const DELIVERY_HOST = 'replicate.delivery';
const FILE_NAME = /\.(avif|gif|jpe?g|png|svg|tiff?|webp|mp4|mov|webm|mkv|mp3|m4a|wav|ogg|flac|glb|gltf|obj|ply|zip|tar|pdf|json|txt|csv)$/i;
/** Of a data URL, up to its bytes: an expression fails with what a hostile one could put there. */
const MAX_DATA_HEAD = 200;
const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+(;[\w=.-]+)*;base64,/;
/** Of one answer: how large a file may be is storage's to say, and a slow one goes on with the next answer. */
const DOWNLOAD = { totalMs: 5 * 60_000, headersMs: 20_000, maxBytes: 64 * 1024 ** 3 };

/**
 * Replicate, over its HTTP API. `find` knows a prediction whose answer was lost by its webhook's URL where the
 * list shows it, else by its input together with the lifetime that only this attempt asked for (one of 9,000).
 * Where the list shows neither, equal input of the last ten minutes must do, and only when there is one such.
 * Sources: api.replicate.com/openapi.json, replicate.com/docs/topics/webhooks.
 */
export class ReplicateProvider implements Provider {
  readonly name = 'replicate';
  private readonly api: ReplicateApi;

  constructor(
    client: OutboundClient,
    private readonly settings: ReplicateSettings,
  ) {
    this.api = new ReplicateApi(client, settings.baseUrl, settings.apiToken);
  }

  get reports(): boolean {
    return this.settings.webhookUrl !== undefined;
  }

  async submit({ model, input, token }: PredictionRequest, signal: AbortSignal): Promise<Prediction> {
    const { webhook, lifetimeSeconds } = this.markOf(token);
    const isOfficial = /^[^/:]+\/[^/:]+$/.test(model);
    const body: JsonObject = {
      ...(!isOfficial && { version: model }),
      input,
      ...(webhook !== undefined && { webhook, webhook_events_filter: ['completed'] }),
    };
    return readPrediction(await this.api.call(isOfficial ? `models/${model}/predictions` : 'predictions', {
      method: 'POST',
      headers: { 'cancel-after': durationOf(lifetimeSeconds) },
      body,
      inputNames: Object.keys(input),
      signal,
    }));
  }

  async find(request: PredictionRequest, since: number, signal: AbortSignal): Promise<Prediction | null> {
    let marked: Json | undefined;
    const alike: Json[] = [];
    const mark = this.markOf(request.token);
    const earliest = Math.max(since - CLOCK_SKEW_MS, Date.now() - KEPT_MS);
    let path: string | null = 'predictions';
    for (let page = 0; path !== null && page < PAGES; page++) {
      const { results, next } = membersOf(await this.api.read(path, signal));
      const listed = Array.isArray(results) ? results : [];
      for (const each of listed.filter((one) => createdAt(one) >= earliest)) {
        const likeness = likenessOf(each, request, mark, Date.now());
        // The list begins with the newest: of two of ours, the first one counts.
        if (likeness === 'marked') marked = each;
        if (likeness === 'alike') alike.push(each);
      }
      path = createdAt(listed.at(-1)) >= earliest && typeof next === 'string' ? this.ownPath(next) : null;
    }
    if (marked === undefined && alike.length !== 1) return null;
    return readPrediction(marked ?? alike[0]);
  }

  async get(id: string, signal: AbortSignal): Promise<Prediction> {
    return readPrediction(await this.api.call(`predictions/${encodeURIComponent(id)}`, { signal }));
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.api.call(`predictions/${encodeURIComponent(id)}/cancel`, { method: 'POST', signal });
    } catch (error) {
      // What Replicate does not know any more has ended.
      if (!(error instanceof ProviderError && error.fault === 'missing')) throw error;
    }
  }

  async upload(file: UploadedFile, signal: AbortSignal): Promise<string> {
    if (file.size > FILES_MAX_BYTES) {
      throw new ProviderError('input', `The file ${file.name} has more than the 100 MiB that Replicate takes`);
    }
    const boundary = randomUUID();
    const { urls } = membersOf(await this.api.call('files', {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: Readable.from(multipart(boundary, file), { objectMode: false }),
      signal,
    }));
    const url = membersOf(urls)['get'];
    if (typeof url !== 'string') throw new ProviderError('answer', 'Replicate took a file and does not say where it is');
    return url;
  }

  /** A whole text that is a URL of a file of Replicate's, or of one by its name elsewhere, or a data URL. */
  isFile(text: string): boolean {
    if (DATA_URL.test(text.slice(0, MAX_DATA_HEAD))) return true;
    if (!/^https?:\/\/\S+$/i.test(text) || !URL.canParse(text)) return false;
    const url = new URL(text);
    if (this.api.isOwn(url)) return this.api.isOwnFile(url);
    const isDelivered = url.hostname === DELIVERY_HOST || url.hostname.endsWith(`.${DELIVERY_HOST}`);
    return isDelivered || FILE_NAME.test(url.pathname);
  }

  async *download(url: string, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const start = DATA_URL.exec(url.slice(0, MAX_DATA_HEAD))?.[0].length;
    if (start !== undefined) yield Buffer.from(url.slice(start), 'base64');
    else yield* resumedBytes((from) => this.api.file(url, from, signal, DOWNLOAD), signal);
  }

  readWebhook(headers: IncomingHttpHeaders, rawBody: Buffer): ProviderWebhook {
    const { webhookSecret, allowsUnsigned } = this.settings;
    const unjudged = allowsUnsigned ? createHash('sha256').update(rawBody).digest('hex') : null;
    const id = webhookSecret === undefined ? unjudged : verifiedWebhookId(webhookSecret, headers, rawBody);
    if (id === null) throw new ProviderError('signature', 'The webhook is not signed by Replicate');
    try {
      return { id, prediction: readPrediction(JSON.parse(rawBody.toString()) as Json) };
    } catch (error) {
      throw error instanceof ProviderError ? error : new ProviderError('answer', 'The webhook holds no JSON');
    }
  }

  private markOf(token: string): Mark {
    const { leastSeconds, stepSeconds, steps } = LIFETIME;
    const step = createHash('sha256').update(token).digest().readUInt32BE(0) % steps;
    return { webhook: this.settings.webhookUrl?.(token), lifetimeSeconds: leastSeconds + step * stepSeconds };
  }

  /** The next page, if it is one of the API's own. */
  private ownPath(next: string): string | null {
    return URL.canParse(next) && this.api.isOwn(new URL(next)) ? next : null;
  }
}

/** Milliseconds since 1970; what does not tell has no place in time. */
function createdAt(listed: Json | undefined): number {
  const { created_at } = membersOf(listed);
  return typeof created_at === 'string' ? Date.parse(created_at) : NaN;
}

/** `1h12m4s`. */
const durationOf = (seconds: number): string =>
  `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m${seconds % 60}s`;

async function* multipart(boundary: string, { name, mimeType, open }: UploadedFile): AsyncGenerator<Buffer> {
  const fileName = name.replace(/[^\w.-]/g, '_').slice(-200);
  const disposition = `form-data; name="content"; filename="${fileName}"`;
  yield Buffer.from(`--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: ${mimeType}\r\n\r\n`);
  yield* (await open()) as AsyncIterable<Buffer>;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}
