import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { ServerUnreachable } from '#libs/comfyui/comfy-error.js';
import type { ComfyServer } from '#libs/comfyui/comfy-server.js';
import { outputFiles, outputTexts } from '#libs/comfyui/prompt-outputs.js';
import type { PromptOutputs, PromptState } from '#libs/comfyui/prompt-state.js';
import { executionFault, interrupted, lost } from './faults.js';
import { inputFault, STORAGE_FAILED, worldFault, type Done, type FetchedFile, type ProducedAsset } from '../node.js';

/** What bytes do not tell. */
const TEXT_TYPES: Record<string, string> = {
  '.txt': 'text/plain', '.json': 'application/json', '.csv': 'text/csv', '.srt': 'text/plain', '.md': 'text/markdown',
};

/** What came to a step beside history. */
interface Beside {
  /** Images of the websocket. */
  images?: Buffer[];
  fetched?: FetchedFile[];
  madeWith?: Record<string, string>;
}

/** What came of a prompt that is in no queue any more. Throws a `NodeError` unless that is its outputs. */
export function endedOutcome(server: ComfyServer, state: PromptState, beside: Beside): Done {
  if (state.kind === 'done') return doneOf(server, state.outputs, beside);
  if (state.kind === 'failed') throw executionFault(state.error);
  throw state.kind === 'interrupted' ? interrupted() : lost();
}

/**
 * What a prompt gave: its files as assets, kept ones before previews, then images of the websocket; its texts as
 * value, one as it is, more as a list. Files are fetched when they are stored.
 */
function doneOf(server: ComfyServer, outputs: PromptOutputs, { images = [], fetched = [], madeWith }: Beside): Done {
  const files = outputFiles(outputs).map((file) => asset(file.filename, server.download(file)));
  const sent = images.map((bytes, index) => ({ name: `image_${index + 1}.png`, bytes }));
  const assets = [...files, ...sent];
  const texts = outputTexts(outputs);
  if (assets.length + texts.length === 0) throw inputFault('NO_OUTPUT', 'The graph gave no file and no text');
  const [text] = texts;
  return {
    kind: 'done',
    assets,
    fetched,
    ...(madeWith && { madeWith }),
    ...(text !== undefined && { value: texts.length === 1 ? text : texts }),
  };
}

function asset(name: string, bytes: Readable): ProducedAsset {
  const mimeType = TEXT_TYPES[extname(name).toLowerCase()];
  return { name, bytes: Readable.from(told(bytes), { objectMode: false }), ...(mimeType && { mimeType }) };
}

/** The prompt is done: another attempt finds it again and fetches once more. */
async function* told(bytes: Readable): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    if (!(error instanceof ServerUnreachable)) throw error;
    throw worldFault(STORAGE_FAILED, 'An output file could not be fetched from its ComfyUI server');
  }
}
