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
/** Of a data URL, up to its comma. */
const MAX_DATA_HEAD = 200;

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
        const asset = await this.assetOf(item, assets, signal);
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

  private async assetOf(item: Json, before: readonly ProducedAsset[], signal: AbortSignal): Promise<ProducedAsset | null> {
    if (typeof item !== 'string') return null;
    const name = `output-${before.length + 1}`;
    if (/^https?:\/\//i.test(item)) {
      const isFirst = !before.some(({ bytes }) => bytes instanceof Readable);
      return { name, bytes: await this.download(item, isFirst, signal) };
    }
    const inline = fileInDataUrl(item);
    if (inline) return { name, ...inline };
    const bytes = bytesIn(item);
    // Only bytes of a known kind: a long word is base64, too.
    return bytes && (await fileTypeFromBuffer(bytes)) ? { name, bytes } : null;
  }

  /**
   * The first is asked before the step is done: one that cannot be had is waited for, without another call of the
   * API. The others are asked when they are read: opened all at once, they would wait for each other's connections.
   */
  private async download(url: string, isFirst: boolean, signal: AbortSignal): Promise<Readable> {
    let first = isFirst ? await this.ask(url, 0, signal).catch(tell) : undefined;
    const ask = async (from: number): Promise<OutboundAnswer> => {
      const answer = first ?? (await this.ask(url, from, signal));
      first = undefined;
      return answer;
    };
    const stream = Readable.from(toldBytes(resumedBytes(ask, signal)), { objectMode: false });
    // Destroyed before it was read, it does not hand that on.
    return stream.once('close', () => first?.body.destroy());
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

function tell(error: unknown): never {
  if (!(error instanceof ProviderError)) throw error;
  const text = `A file of the result could not be had: ${error.message}`;
  throw error.fault === 'unavailable' ? new NoAnswer(text) : upstreamFault(text);
}

async function* toldBytes(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    tell(error);
  }
}

/** Read by hand: an expression would fail with what a hostile one puts before its comma. */
function fileInDataUrl(text: string): Pick<ProducedAsset, 'bytes' | 'mimeType'> | null {
  const end = text.slice(0, MAX_DATA_HEAD).indexOf(',');
  if (!/^data:/i.test(text) || end < 0) return null;
  const [mimeType, ...parameters] = text.slice('data:'.length, end).split(';');
  const isBase64 = parameters.at(-1)?.toLowerCase() === 'base64';
  const rest = text.slice(end + 1);
  return { bytes: isBase64 ? Buffer.from(rest, 'base64') : Buffer.from(decoded(rest)), ...(mimeType && { mimeType }) };
}

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
