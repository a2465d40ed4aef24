import { createReadStream } from 'node:fs';

/**
 * Beginnings of what browsers, shells and archivers take for theirs wherever it stands in a file. Each is long enough
 * not to come up by chance in the pixels of a few megabytes.
 */
const FOREIGN = /<script[\s>]|<html[\s>]|<svg[\s>]|<!doctype|<\?php\s|<iframe[\s>]|javascript:|%PDF-\d|PK\x03\x04.\x00[\x00\x08]|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c/is;
/** Longer than the longest of them. */
const OVERLAP = 32;

/** Whether an image is something else, too: a page, a program, a document or an archive in its metadata or behind its end. */
export async function isPolyglot(path: string): Promise<boolean> {
  let rest = '';
  for await (const chunk of createReadStream(path)) {
    const text = rest + (chunk as Buffer).toString('latin1');
    if (FOREIGN.test(text)) return true;
    rest = text.slice(-OVERLAP);
  }
  return false;
}
