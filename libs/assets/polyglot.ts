import { createReadStream } from 'node:fs';

/**
 * Beginnings of what browsers, shells and archivers take for theirs wherever it stands in a file. Each is long enough
 * not to come up by chance in the pixels of a few megabytes.
 */
const TEXTS = /<script[\s>]|<html[\s>]|<svg[\s>]|<!doctype|<\?php\s|<iframe[\s>]|javascript:|%pdf-\d/i;
/** RAR, 7z. */
const ARCHIVES = ['526172211a07', '377abcaf271c'].map((hex) => Buffer.from(hex, 'hex'));
/** Local header of a ZIP; what follows is a version below 256 and flags. */
const ZIP = Buffer.from('504b0304', 'hex');
const ZIP_FLAGS = [0x00, 0x08];
/** Longer than the longest of them. */
const OVERLAP = 32;

/** Whether an image is something else, too: a page, a program, a document or an archive in its metadata or behind its end. */
export async function isPolyglot(path: string): Promise<boolean> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    if (TEXTS.test(bytes.toString('latin1')) || ARCHIVES.some((start) => bytes.includes(start)) || holdsZip(bytes)) return true;
    rest = bytes.subarray(-OVERLAP);
  }
  return false;
}

function holdsZip(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(ZIP); at >= 0; at = bytes.indexOf(ZIP, at + 1)) {
    const [high, flags = -1] = bytes.subarray(at + ZIP.length + 1);
    if (high === 0 && ZIP_FLAGS.includes(flags)) return true;
  }
  return false;
}
