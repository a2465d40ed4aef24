import { Readable } from 'node:stream';
import { fileTypeFromBuffer } from 'file-type';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Done, ProducedAsset } from '#libs/nodes/node.js';
import type { OutboundAnswer, OutboundClient } from '#libs/outbound/outbound-client.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import { ProviderError } from '#libs/providers/provider.js';
import { resumedBytes } from '#libs/providers/resumed-bytes.js';
import { NoAnswer, upstreamFault } from './api-client.js';

const MAX_FILES = 100;
const MAX_FILE_BYTES = 2 * 1024 ** 3;
const DOWNLOAD_MS = 10 * 60_000;
/** Shorter text is never taken for bytes. */
const MIN_BASE64 = 16;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*?(;base64)?,/i;

/** Whether a workflow's results are files. Of the others a text that looks like a URL is a text. */
const makesFiles = (outputType: string | null): boolean =>
  outputType !== null && !/^(text\/|application\/(json$|.*\+json$))/.test(outputType);

/** What an API gave, as a step's output: URLs downloaded, base64 and data URLs decoded, the rest a value. */
export class ApiOutputs {
  constructor(private readonly outbound: OutboundClient) {}

  /** Throws `NoAnswer` while a file cannot be had. */
  async outcomeOf(results: readonly Json[], outputType: string | null, signal: AbortSignal): Promise<Done> {
    const items = results.flat().filter((item) => item !== null);
    if (items.length === 0) throw upstreamFault('The answer holds no result');
    if (!makesFiles(outputType)) return { kind: 'done', value: results.length === 1 ? results[0] : [...results] };
    const { assets, values } = await this.sorted(items, signal);
    if (assets.length === 0) throw upstreamFault('The result is not a file: no URL, no data URL, no base64');
    const value = values.length > 1 ? values : values[0];
    return { kind: 'done', assets, ...(value !== undefined && { value }) };
  }

  private async sorted(items: readonly Json[], signal: AbortSignal): Promise<{ assets: ProducedAsset[]; values: Json[] }> {
    const assets: ProducedAsset[] = [];
    const values: Json[] = [];
    try {
      for (const item of items) {
        const asset = await this.assetOf(item, assets.length, signal);
        if (asset) assets.push(asset);
        else values.push(item);
        if (assets.length > MAX_FILES) throw upstreamFault(`The answer holds more than ${MAX_FILES} files`);
      }
      return { assets, values };
    } catch (error) {
      for (const { bytes } of assets) if (bytes instanceof Readable) bytes.destroy();
      throw error;
    }
  }

  private async assetOf(item: Json, index: number, signal: AbortSignal): Promise<ProducedAsset | null> {
    if (typeof item !== 'string') return null;
    const name = `output-${index + 1}`;
    if (/^https?:\/\//i.test(item)) return { name, bytes: await this.download(item, signal) };
    const [head, mimeType, isBase64] = DATA_URL.exec(item) ?? [];
    if (head !== undefined) {
      const rest = item.slice(head.length);
      const bytes = isBase64 ? Buffer.from(rest, 'base64') : Buffer.from(decoded(rest));
      return { name, bytes, ...(mimeType && { mimeType }) };
    }
    const bytes = bytesIn(item);
    // Only bytes of a known kind: a long word is base64, too.
    return bytes && (await fileTypeFromBuffer(bytes)) ? { name, bytes } : null;
  }

  /** Asked once before the step is done: one that cannot be had is waited for, without another call of the API. */
  private async download(url: string, signal: AbortSignal): Promise<Readable> {
    let first: OutboundAnswer | undefined = await this.ask(url, 0, signal).catch((error: unknown) => {
      throw error instanceof ProviderError ? told(error) : error;
    });
    const ask = async (from: number): Promise<OutboundAnswer> => {
      const answer = first ?? (await this.ask(url, from, signal));
      first = undefined;
      return answer;
    };
    return Readable.from(resumedBytes(ask, signal), { objectMode: false });
  }

  private async ask(url: string, from: number, signal: AbortSignal): Promise<OutboundAnswer> {
    try {
      const answer = await this.outbound.request(url, {
        signal, totalMs: DOWNLOAD_MS, maxBytes: MAX_FILE_BYTES, ...(from > 0 && { headers: { range: `bytes=${from}-` } }),
      });
      if (answer.status === 200 || answer.status === 206) return answer;
      answer.body.destroy();
      const isLater = answer.status >= 500 || answer.status === 429;
      throw new ProviderError(isLater ? 'unavailable' : 'missing', `its host answers with status ${answer.status}`);
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw new ProviderError(error.permanent ? 'missing' : 'unavailable', error.message);
    }
  }
}

const told = ({ fault, message }: ProviderError): Error => {
  const text = `A file of the result could not be had: ${message}`;
  return fault === 'unavailable' ? new NoAnswer(text) : upstreamFault(text);
};

function bytesIn(text: string): Buffer | null {
  const compact = text.replace(/\s+/g, '');
  return compact.length >= MIN_BASE64 && BASE64.test(compact) ? Buffer.from(compact, 'base64') : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
