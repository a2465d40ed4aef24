import { isObject } from './graph.js';
import type { PromptOutputs } from './prompt-state.js';

/** A file that a server holds, as history names it. */
export interface OutputFile {
  filename: string;
  subfolder: string;
  /** `output` is kept by the server, `temp` (previews) is gone after a restart. */
  type: string;
}

const MAX_FILES = 500;
const MAX_TEXT_LENGTH = 1024 ** 2;

/** Every file of every kind (images, gifs, video, audio, 3d, …), those of type `output` first, each once. */
export function outputFiles(outputs: PromptOutputs): OutputFile[] {
  const files = new Map<string, OutputFile>();
  for (const item of items(outputs)) {
    if (!isObject(item) || typeof item['filename'] !== 'string' || item['filename'] === '') continue;
    const { filename, subfolder = '', type = 'output' } = item;
    // Inputs that a node shows again are not what it made.
    if (type === 'input') continue;
    const file = { filename, subfolder: String(subfolder ?? ''), type: String(type) };
    files.set(JSON.stringify(file), file);
  }
  const rank = ({ type }: OutputFile) => (type === 'output' ? 0 : 1);
  return [...files.values()].sort((one, other) => rank(one) - rank(other)).slice(0, MAX_FILES);
}

/** What nodes show as text. */
export function outputTexts(outputs: PromptOutputs): string[] {
  const texts = Object.values(outputs).flatMap(({ text }) => (Array.isArray(text) ? text : [text]));
  return texts.filter((text) => typeof text === 'string').map((text) => text.slice(0, MAX_TEXT_LENGTH));
}

function* items(outputs: PromptOutputs): Generator<unknown> {
  for (const lists of Object.values(outputs)) {
    for (const list of Object.values(Object(lists) as object)) if (Array.isArray(list)) yield* list;
  }
}
