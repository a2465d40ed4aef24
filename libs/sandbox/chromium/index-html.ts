import { EDITION_SCRIPT } from './page-runtime.js';

const P5_FILE = /^p5(\.sound)?(\.min)?\.js$/;
const SCRIPT = /<script\b/;
const SOURCE = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i;
const FXHASH_SNIPPET = /id\s*=\s*["']?fxhash-snippet/i;
const SCRIPT_END = /<\/script>/gi;
const HEAD = /<(?:head|html|!doctype)\b/;

/** Whether a file is p5 or fxhash's snippet rather than part of the sketch. */
export const isLibraryFile = (path: string): boolean => /(^|\/)(p5(\.\w+)*|fxhash(\.\w+)*)\.js$/.test(path);

/** The page's text without fxhash's own snippet, which names `fxpreview(` whether or not the sketch does. */
export function sketchScripts(html: string): string {
  const kept: string[] = [];
  let from = 0;
  for (const { start, text } of tagsOf(html, SCRIPT)) {
    if (start < from || !FXHASH_SNIPPET.test(text)) continue;
    SCRIPT_END.lastIndex = start + text.length;
    if (!SCRIPT_END.test(html)) break;
    kept.push(html.slice(from, start));
    from = SCRIPT_END.lastIndex;
  }
  return kept.join('') + html.slice(from);
}

interface Tag {
  start: number;
  /** From `<` to `>`. */
  text: string;
}

/** Takes linear time whatever the page is, for it is a stranger's: a tag without an end ends the search. */
function* tagsOf(html: string, opening: RegExp): Generator<Tag> {
  const search = new RegExp(opening, 'gi');
  for (let found = search.exec(html); found; found = search.exec(html)) {
    search.lastIndex = html.indexOf('>', found.index) + 1;
    if (search.lastIndex === 0) return;
    yield { start: found.index, text: html.slice(found.index, search.lastIndex) };
  }
}

/** Our copy of what a script tag asks from elsewhere; undefined when it is not p5. */
function ourCopy(address: string, files: Record<string, string>): string | undefined {
  const [path = ''] = address.split(/[?#]/, 1);
  const isRemote = /^(https?:)?\/\//.test(path);
  if (!isRemote && path.replace(/^(\.?\/)+/, '') in files) return undefined;
  const name = path.split('/').pop() ?? '';
  const file = P5_FILE.exec(name);
  if (file) return `/.platen/p5${file[1] ?? ''}.js`;
  // Addresses of npm CDNs may name the package only: https://unpkg.com/p5@1.11
  return isRemote && /^p5(@[\w.^~-]+)?$/.test(name) ? '/.platen/p5.js' : undefined;
}

/**
 * The folder's `index.html` as it is, but that p5 comes from here instead of a CDN and the edition comes
 * first. Both keep to their lines, so that line numbers in errors stay right.
 */
export function adoptLibraries(files: Record<string, string>): string {
  const html = withOurLibraries(files['index.html'] ?? '', files);
  const places = [...tagsOf(html, HEAD)];
  const place = places.find(({ text }) => /^<head/i.test(text)) ?? places.pop();
  const at = place ? place.start + place.text.length : 0;
  return html.slice(0, at) + EDITION_SCRIPT + html.slice(at);
}

function withOurLibraries(html: string, files: Record<string, string>): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, text } of tagsOf(html, SCRIPT)) {
    parts.push(html.slice(from, start), adopted(text, files));
    from = start + text.length;
  }
  return parts.join('') + html.slice(from);
}

function adopted(tag: string, files: Record<string, string>): string {
  const source = SOURCE.exec(tag);
  const copy = source && ourCopy(source[1] ?? source[2] ?? source[3] ?? '', files);
  if (!copy) return tag;
  const kept = tag.replace(/\s(integrity|crossorigin)(\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?/gi, '');
  return kept.replace(SOURCE, ` src="${copy}"`);
}
