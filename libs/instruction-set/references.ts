import { AssetHandle, inputFault, type JsonSchema, type NodeDefinition } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { fieldPath } from './field-path.js';
import { FillBudget } from './fill-budget.js';
import { imageReference } from './image-values.js';
import type { Json, JsonObject, Step } from './instruction-set.js';
import { selectOutput, type ReferencedAsset, type ReferencedOutput } from './output-path.js';
import { mapPayload, type Place } from './payload-walk.js';
import { parseTemplate, placeholdersOf, type Placeholder } from './template.js';

/** `{ "$ref": stepId, "path"?, "collection"? }`, or `{{$ref:stepId}}` inside a text. */
export interface Reference {
  stepId: string;
  /** Null: the primary output. */
  path: string | null;
  /** Set: the step is not of this set, but of another collection. */
  collection: string | null;
  /** Where in the payload it stands, e.g. `inputs.images[0]`. */
  at: string;
}

/** Every reference of a step, in order. Without its node nothing of the payload counts as verbatim. */
export function referencesOf(
  step: Pick<Step, 'nodePayload'>,
  node?: Pick<NodeDefinition, 'payload'>,
): Reference[] {
  const found: Reference[] = [];
  mapPayload(step.nodePayload, node?.payload ?? {}, {
    reference: (value, { path }) => found.push({ ...readReference(value), at: fieldPath(path) }),
    text: (text, { path }) => {
      for (const part of placeholdersOf(text)) {
        if (part.kind === 'step') {
          found.push({ stepId: part.stepId, path: part.path, collection: null, at: fieldPath(path) });
        }
      }
    },
  });
  return found;
}

/** Names of variables that a step reads, with their places. */
export function variablesOf(
  step: Pick<Step, 'nodePayload'>,
  node?: Pick<NodeDefinition, 'payload'>,
): Array<{ name: string; at: string }> {
  const found: Array<{ name: string; at: string }> = [];
  mapPayload(step.nodePayload, node?.payload ?? {}, {
    reference: (value) => value,
    text: (text, { path }) => {
      for (const part of placeholdersOf(text)) {
        if (part.kind === 'variable') found.push({ name: part.name, at: fieldPath(path) });
      }
    },
  });
  return found;
}

/**
 * The steps under new ids: `fromId` keeps the old one, and every reference is rewritten, also inside texts.
 * References to other collections and ids that `idMap` does not have stay.
 */
export function rewriteReferences(
  steps: readonly Step[],
  idMap: ReadonlyMap<string, number>,
  registry: NodeRegistry,
): Step[] {
  return steps.map((step) => {
    const id = idMap.get(String(step.id));
    const nodePayload = mapPayload(step.nodePayload, registry.find(step.nodeName)?.payload ?? {}, {
      reference: (value) => rewriteReference(value, idMap),
      text: (text) => rewriteText(text, idMap),
    });
    return id === undefined ? { ...step, nodePayload } : { ...step, id, fromId: step.id, nodePayload };
  });
}

function rewriteReference(value: JsonObject, idMap: ReadonlyMap<string, number>): JsonObject {
  const { stepId, collection } = readReference(value);
  const id = collection === null ? idMap.get(stepId) : undefined;
  return id === undefined ? value : { ...value, $ref: id };
}

const rewriteText = (text: string, idMap: ReadonlyMap<string, number>): string =>
  parseTemplate(text)
    .map((part) => {
      if (typeof part === 'string') return part;
      const id = part.kind === 'step' ? idMap.get(part.stepId) : undefined;
      return part.kind === 'step' && id !== undefined ? `{{$ref:${id}${part.tail}}}` : part.source;
    })
    .join('');

const readReference = ({ $ref, path, collection }: JsonObject): Omit<Reference, 'at'> => ({
  stepId: typeof $ref === 'string' || typeof $ref === 'number' ? String($ref) : '',
  path: typeof path === 'string' ? path : null,
  collection: typeof collection === 'string' ? collection : null,
});

const OF_FILES = /^(https?:\/\/[^/]+)?\/files\//;

/** Whether a text at this place stands for a file: any, or one that says so itself. */
const takesFile = (text: string, { schemas }: Place): boolean =>
  schemas.some(({ asset }) => asset === true || (asset === 'files' && OF_FILES.test(text)));

/** What a payload is resolved against. */
export interface ResolutionScope {
  /** The variables' values in this edition. */
  variables: Readonly<JsonObject>;
  /** Of them those that are images: alone in a text each is the file that it names. */
  images?: ReadonlySet<string>;
  /** What a finished step left; undefined when there is none. `collection` as in `Reference`. */
  output(stepId: string, collection: string | null): ReferencedOutput | undefined;
  /** The file that a text names where the schema says `asset`: an id, a URL of `/files` or of another host. */
  asset(reference: string): AssetHandle | string | undefined;
  /** The node's payload schema: tells what is verbatim, and what takes an asset. */
  schema: JsonSchema;
}

/**
 * The payload with variables and outputs in place. A `$ref` or a text that is exactly one `{{…}}` takes the
 * value with its type, where an asset is an `AssetHandle`; inside a longer text an asset is its URL, other
 * scalars are text, the rest is JSON. One pass: what was put in is not looked at again.
 * Throws a permanent `NodeError` naming every place that refers to nothing, or the one with which it is too
 * much that is put in.
 */
export function resolvePayload(payload: JsonObject, scope: ResolutionScope): JsonObject {
  const faults: string[] = [];
  const budget = new FillBudget();
  const found = (value: Found | undefined, place: Place, source: string): Found => {
    if (value === undefined) faults.push(`${fieldPath(place.path)}: there is no ${source}`);
    budget.spend(value, () => fieldPath(place.path));
    return value ?? null;
  };
  const asFile = (value: unknown, place: Place): unknown => {
    if (typeof value !== 'string' || !takesFile(value, place)) return value;
    const handle = scope.asset(value);
    if (!handle) faults.push(`${fieldPath(place.path)}: there is no asset ${value}`);
    return handle;
  };
  const asImage = (text: string, value: unknown, place: Place): unknown => {
    const [part] = placeholdersOf(text);
    const isImage = part?.kind === 'variable' && scope.images?.has(part.name);
    if (!isImage || typeof value !== 'string') return value;
    const handle = scope.asset(value);
    if (!handle) faults.push(`${fieldPath(place.path)}: there is no asset ${value}`);
    return handle;
  };
  const textIn = (text: string, place: Place): unknown => {
    const parts = parseTemplate(text).map((part) =>
      typeof part === 'string' ? part : { value: found(valueOf(part, scope), place, part.source) },
    );
    const [only] = parts;
    if (parts.length === 1 && typeof only === 'object') return asImage(text, asWhole(only.value), place);
    return parts.map((part) => (typeof part === 'string' ? part : asText(part.value))).join('');
  };
  const resolved = mapPayload(payload, scope.schema, {
    reference: (value, place) => {
      const output = found(outputOf(readReference(value), scope), place, `output ${JSON.stringify(value)}`);
      return asFile(asWhole(output), place);
    },
    text: (text, place) => asFile(textIn(text, place), place),
  });
  if (faults.length > 0) throw inputFault('UNRESOLVED_REFERENCE', faults.join('; '));
  return resolved;
}

type Found = Json | FoundAsset | FoundAsset[];

/** An asset among the values that were found: what it turns into depends on where it is put. */
class FoundAsset {
  constructor(private readonly asset: ReferencedAsset) {}

  get handle(): AssetHandle {
    const { id, storage_key: storageKey, name, mime_type: mimeType, size, sha256, width, height } = this.asset;
    const file = { id, storageKey, name, mimeType, size, sha256 };
    return new AssetHandle({ ...file, width: width ?? undefined, height: height ?? undefined });
  }

  toJSON(): string {
    return this.asset.url;
  }
}

function valueOf(part: Placeholder, scope: ResolutionScope): Found | undefined {
  if (part.kind === 'step') return outputOf({ ...part, collection: null }, scope);
  const value = Object.hasOwn(scope.variables, part.name) ? scope.variables[part.name] : undefined;
  const reference = scope.images?.has(part.name) ? imageReference(value) : null;
  return reference ? outputOf({ ...reference, path: null }, scope) : value;
}

function outputOf(reference: Omit<Reference, 'at'>, scope: ResolutionScope): Found | undefined {
  const output = scope.output(reference.stepId, reference.collection);
  if (!output) return undefined;
  const part = selectOutput(output, reference.path);
  if (part === output.assets) return output.assets.map((asset) => new FoundAsset(asset));
  const asset = output.assets.find((candidate) => candidate === part);
  return asset ? new FoundAsset(asset) : (part as Json | undefined);
}

function asWhole(value: Found): unknown {
  if (value instanceof FoundAsset) return value.handle;
  if (Array.isArray(value)) return value.map((item) => asWhole(item));
  // A copy: filling in defaults must not reach into the variables or another step's output.
  return structuredClone(value);
}

function asText(value: Found): string {
  if (value instanceof FoundAsset) return value.toJSON();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
