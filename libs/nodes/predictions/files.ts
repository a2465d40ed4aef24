import { Readable } from 'node:stream';
import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';
import { anyUrl, type Provider } from '#libs/providers/provider.js';
import { AssetHandle, STORAGE_FAILED, worldFault, type AssetReader, type Done, type ProducedAsset } from '../node.js';
import { toldOf, upstreamFault } from './faults.js';

/** A file up to this size goes along in the request itself. */
const INLINE_BYTES = 256 * 1024;
const MAX_FILES = 100;

/** An input as the provider takes it: files of ours as data URLs, larger ones handed over first. */
export async function sentInput(
  input: JsonObject,
  { provider, assets, signal }: { provider: Provider; assets: AssetReader; signal: AbortSignal },
): Promise<JsonObject> {
  const urls = new Map<string, string>();
  const urlOf = async (file: AssetHandle): Promise<string> => {
    const { name, mimeType, size } = file;
    const known = urls.get(file.id);
    if (known !== undefined) return known;
    const url = size <= INLINE_BYTES
      ? `data:${mimeType};base64,${(await assets.read(file)).toString('base64')}`
      : await provider.upload({ name, mimeType, size, open: () => assets.open(file) }, signal);
    urls.set(file.id, url);
    return url;
  };
  return (await mapFiles(input, urlOf)) as JsonObject;
}

/** The same input as far as it is known without handing files over. */
export const knownInput = async (input: JsonObject): Promise<JsonObject> =>
  (await mapFiles(input, async () => anyUrl)) as JsonObject;

async function mapFiles(value: unknown, replace: (file: AssetHandle) => Promise<Json>): Promise<Json> {
  if (value instanceof AssetHandle) return replace(value);
  if (typeof value !== 'object' || value === null) return value as Json;
  const mapped: Array<[string, Json]> = [];
  for (const [name, member] of Object.entries(value)) mapped.push([name, await mapFiles(member, replace)]);
  return Array.isArray(value) ? mapped.map(([, member]) => member) : Object.fromEntries(mapped);
}

/**
 * What a prediction gave as a step's output: each file an asset, to be copied at once. The value is the rest:
 * text as it is, a list of texts joined (models give text in pieces), and anything else with each file's name
 * in its place, since its URL will not last.
 */
export function outcomeOf(output: Json, provider: Provider, signal: AbortSignal): Done {
  const assets: ProducedAsset[] = [];
  const copied = (value: Json): Json => {
    if (typeof value === 'string') return provider.isFile(value) ? nameIn(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(copied);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]));
  };
  const nameIn = (url: string): string => {
    if (assets.length === MAX_FILES) throw upstreamFault(`The prediction gave more than ${MAX_FILES} files`);
    const name = fileNameOf(url, assets.length);
    assets.push({ name, bytes: Readable.from(told(provider.download(url, signal)), { objectMode: false }) });
    return name;
  };
  const value = copied(output);
  if (isEmpty(output)) throw upstreamFault('The prediction succeeded without an output');
  const isFilesOnly = assets.length > 0 && [output].flat().every((each) => typeof each === 'string');
  return { kind: 'done', assets, value: isFilesOnly && [output].flat().length === assets.length ? null : joined(value) };
}

const isEmpty = (output: Json): boolean =>
  output === null || (typeof output === 'object' && Object.keys(output).length === 0);

const joined = (value: Json): Json =>
  Array.isArray(value) && value.every((piece) => typeof piece === 'string') ? value.join('') : value;

function fileNameOf(url: string, index: number): string {
  const last = url.startsWith('data:') ? '' : (new URL(url).pathname.split('/').at(-1) ?? '');
  const name = last.replace(/[^\w.-]/g, '_').slice(-100);
  return name === '' ? `output-${index}` : name;
}

/** A file that is gone for good fails the step; one that did not come through lets it be tried again. */
async function* told(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    throw toldOf(error, worldFault(STORAGE_FAILED, 'A file of the prediction could not be copied'));
  }
}
