import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import { AssetHandle, inputFault, type AssetReader } from '#libs/nodes/node.js';
import type { Expressions } from '#libs/sandbox/expressions.js';
import { bodyPaths, withValues, type JsonPath } from './body-paths.js';
import type { PlacedInput } from './json-inputs.js';

/** Bodies whose paths are kept: each workflow's is the same for all of its editions. */
const KEPT_BODIES = 200;
/** Of one file that goes along in a body. */
const MAX_FILE_BYTES = 16 * 1024 ** 2;
/** Of all values of a body, each as often as it is in it. */
const MAX_TOTAL_BYTES = 32 * 1024 ** 2;

/** Puts values into the JSON bodies of calls and jobs. */
export class BodyFiller {
  private readonly known = new LRUCache<string, JsonPath[][]>({ max: KEPT_BODIES });

  constructor(private readonly expressions: Expressions) {}

  /** A copy of the body with all values at their places, files as text. Throws a permanent `NodeError`. */
  async fill(
    body: Json,
    placed: readonly PlacedInput[],
    { assets, signal }: { assets: AssetReader; signal: AbortSignal },
  ): Promise<Json> {
    const paths = await this.pathsIn(body, placed.map(({ pathJq }) => pathJq), signal);
    assertHeld(placed.map(({ value }, index) => ({ value, places: paths[index]?.length ?? 0 })));
    const places = [];
    for (const [index, { value, as }] of placed.entries()) {
      const text = value instanceof AssetHandle ? await textOf(value, as, assets) : value;
      places.push({ paths: paths[index] ?? [], value: text });
    }
    return withValues(body, places);
  }

  private async pathsIn(body: Json, programs: string[], signal: AbortSignal): Promise<JsonPath[][]> {
    const key = createHash('sha256').update(JSON.stringify([body, programs])).digest('base64');
    const paths = this.known.get(key) ?? (await bodyPaths(this.expressions, body, programs, signal));
    this.known.set(key, paths);
    return paths;
  }
}

/** Judged by what is known of the files, before any of them is read. */
function assertHeld(values: Array<{ value: Json | AssetHandle; places: number }>): void {
  let total = 0;
  for (const { value, places } of values) {
    const isFile = value instanceof AssetHandle;
    if (isFile && value.size > MAX_FILE_BYTES) {
      throw tooLarge(`${value.name} is larger than the ${mebibytes(MAX_FILE_BYTES)}`);
    }
    total += places * (isFile ? value.size : Buffer.byteLength(JSON.stringify(value)));
  }
  if (total > MAX_TOTAL_BYTES) throw tooLarge(`The values are together larger than the ${mebibytes(MAX_TOTAL_BYTES)}`);
}

const mebibytes = (bytes: number): string => `${bytes / 1024 ** 2} MiB`;
const tooLarge = (what: string) => inputFault('INPUT_TOO_LARGE', `${what} that go into a body`);

async function textOf(file: AssetHandle, as: PlacedInput['as'], assets: AssetReader): Promise<string> {
  const base64 = (await assets.read(file)).toString('base64');
  return as === 'base64' ? base64 : `data:${file.mimeType};base64,${base64}`;
}
