import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';

export interface MediaType {
  mimeType: string;
  /** Without the dot. */
  extension: string;
}

const UNKNOWN: MediaType = { mimeType: 'application/octet-stream', extension: 'bin' };
const PLAIN: MediaType = { mimeType: 'text/plain', extension: 'txt' };
const HTML: MediaType = { mimeType: 'text/html', extension: 'html' };
const SVG: MediaType = { mimeType: 'image/svg+xml', extension: 'svg' };
const XML: MediaType = { mimeType: 'application/xml', extension: 'xml' };
const JSON_TYPE: MediaType = { mimeType: 'application/json', extension: 'json' };

/** What plain text may be called by whoever made it. Markup and JSON are recognised, not believed. */
const DECLARABLE: Record<string, MediaType> = {
  'text/html': HTML,
  'text/csv': { mimeType: 'text/csv', extension: 'csv' },
  'text/markdown': { mimeType: 'text/markdown', extension: 'md' },
  'text/css': { mimeType: 'text/css', extension: 'css' },
  'text/javascript': { mimeType: 'text/javascript', extension: 'js' },
  'application/javascript': { mimeType: 'text/javascript', extension: 'js' },
};

const HEAD_BYTES = 4_096;
const MAX_JSON_BYTES = 8 * 1024 ** 2;
const HTML_TAGS = 'html head body script iframe style title meta link img object embed form base a p div br h1 table';
const HTML_TAG = new RegExp(`<(?:!doctype\\s+html|${HTML_TAGS.replaceAll(' ', '|')})[\\s/>]`, 'i');

/**
 * What a file is, by its bytes. `declared` chooses only among kinds of text, which bytes do not tell
 * apart, and only where the bytes are valid UTF-8.
 */
export async function detectMediaType(path: string, declared?: string): Promise<MediaType> {
  const known = await fileTypeFromFile(path).catch(() => undefined);
  if (known && known.mime !== XML.mimeType) return { mimeType: known.mime, extension: known.ext };
  if (!(await isText(path))) return UNKNOWN;
  return markupOf(await headOf(path)) ?? textOf(path, declared);
}

async function textOf(path: string, declared = ''): Promise<MediaType> {
  const name = declared.split(';')[0]?.trim().toLowerCase() ?? '';
  if (name === JSON_TYPE.mimeType) return (await isJson(path)) ? JSON_TYPE : PLAIN;
  return DECLARABLE[name] ?? PLAIN;
}

/** Text that begins with a tag is markup whatever it was called: that is how a browser would see it. */
function markupOf(head: string): MediaType | undefined {
  const text = head.trimStart();
  if (!text.startsWith('<')) return undefined;
  const html = text.search(HTML_TAG);
  const svg = text.search(/<svg[\s/>]/i);
  if (svg >= 0 && (html < 0 || svg < html)) return SVG;
  if (html >= 0) return HTML;
  return /^<(\?xml|!doctype|!--)/i.test(text) ? XML : undefined;
}

/** Valid UTF-8 without NUL. Reads until the first fault, in chunks. */
async function isText(path: string): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      if (chunk.includes(0)) return false;
      decoder.decode(chunk, { stream: true });
    }
    decoder.decode();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return false;
    throw error;
  }
}

async function headOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function isJson(path: string): Promise<boolean> {
  if ((await stat(path)).size > MAX_JSON_BYTES) return false;
  try {
    JSON.parse(await readFile(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}
