import { createReadStream } from 'node:fs';

/**
 * Beginnings of what browsers, shells and archivers take for theirs wherever it stands in a file. Each is long enough
 * not to come up by chance in the pixels of a few megabytes.
 */
const TEXTS = /<script[\s>]|<html[\s>]|<svg[\s>]|<!doctype|<\?php\s|<iframe[\s>]|javascript:|%pdf-\d/i;
/** Local header of a ZIP (its methods stored and deflated, of the versions in use), RAR, 7z. */
const ARCHIVES = ['504b03040a0000', '504b0304140000', '504b0304140008', '526172211a07', '377abcaf271c'].map((hex) => Buffer.from(hex, 'hex'));
/** Longer than the longest of them. */
const OVERLAP = 32;

/** Whether an image is something else, too: a page, a program, a document or an archive in its metadata or behind its end. */
export async function isPolyglot(path: string): Promise<boolean> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    if (TEXTS.test(bytes.toString('latin1')) || ARCHIVES.some((start) => bytes.includes(start))) return true;
    rest = bytes.subarray(-OVERLAP);
  }
  return false;
}
