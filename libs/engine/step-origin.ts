import { AssetHandle, type Done, type InputFile } from '#libs/nodes/node.js';
import type { StepOrigin } from './generation-store.js';
import { storableText } from './storable.js';

/** More than these are not recorded one by one: the digest of the payload covers them all. */
const MAX_INPUTS = 200;

/** What the record of a step says of where it came from. What there is nothing of is left out. */
export function originOf(payload: unknown, { fetched = [], madeWith = {} }: Done): StepOrigin {
  const inputs = inputsOf(payload);
  const software = Object.entries(madeWith).map(([name, value]) => [storableText(name), storableText(value)]);
  return {
    ...(inputs.length > 0 && { inputs }),
    ...(fetched.length > 0 && { fetched }),
    ...(software.length > 0 && { madeWith: Object.fromEntries(software) as Record<string, string> }),
  };
}

/** Every file of ours in a resolved payload, each once. */
function inputsOf(payload: unknown): InputFile[] {
  const found = new Map<string, InputFile>();
  const look = (value: unknown): void => {
    if (found.size >= MAX_INPUTS) return;
    if (value instanceof AssetHandle) found.set(value.id, inputOf(value));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  look(payload);
  return [...found.values()];
}

const inputOf = ({ id, name, mimeType, size, sha256 }: AssetHandle): InputFile => ({
  asset_id: id, name, mime_type: mimeType, size, sha256,
});
