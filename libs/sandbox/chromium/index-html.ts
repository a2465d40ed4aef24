import { EDITION_SCRIPT, RUNTIME_PATH } from './page-runtime.js';

const P5_FILE = /^p5(\.sound)?(\.min)?\.js$/;
const SCRIPT_TAG = /<script\b[^>]*>/gi;
const SOURCE = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i;
const FXHASH_SNIPPET = /<script\b[^>]*id\s*=\s*["']?fxhash-snippet[\s\S]*?<\/script>/gi;

const OPENING = `<script src="/${RUNTIME_PATH}"></script>${EDITION_SCRIPT}`;

/** Whether a file is p5 or fxhash's snippet rather than part of the sketch. */
export const isLibraryFile = (path: string): boolean => /(^|\/)(p5(\.\w+)*|fxhash(\.\w+)*)\.js$/.test(path);

/** The page's text without fxhash's own snippet, which names `fxpreview(` whether or not the sketch does. */
export const sketchScripts = (html: string): string => html.replace(FXHASH_SNIPPET, '');

/** Our copy of what a script tag asks from elsewhere; undefined when it is not p5. */
function ourCopy(address: string, files: Record<string, string>): string | undefined {
  const path = address.replace(/[?#].*$/, '');
  const isRemote = /^(https?:)?\/\//.test(path);
  if (!isRemote && path.replace(/^(\.?\/)+/, '') in files) return undefined;
  const name = path.split('/').pop() ?? '';
  const file = P5_FILE.exec(name);
  if (file) return `/.platen/p5${file[1] ?? ''}.js`;
  // Addresses of npm CDNs may name the package only: https://unpkg.com/p5@1.11
  return isRemote && /^p5(@[\w.^~-]+)?$/.test(name) ? '/.platen/p5.js' : undefined;
}

/**
 * The folder's `index.html` as it is, but that p5 comes from here instead of a CDN and the runtime comes
 * first. Both keep to their lines, so that line numbers in errors stay right.
 */
export function adoptLibraries(files: Record<string, string>): string {
  const html = (files['index.html'] ?? '').replace(SCRIPT_TAG, (tag) => {
    const source = SOURCE.exec(tag);
    const copy = source && ourCopy(source[1] ?? source[2] ?? source[3] ?? '', files);
    if (!copy) return tag;
    const kept = tag.replace(/\s(integrity|crossorigin)(\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?/gi, '');
    return kept.replace(SOURCE, ` src="${copy}"`);
  });
  const head = /<head\b[^>]*>|<html\b[^>]*>|<!doctype[^>]*>/gi;
  const places = [...html.matchAll(head)];
  const place = places.find(([tag]) => /^<head/i.test(tag)) ?? places.pop();
  const at = place ? place.index + place[0].length : 0;
  return html.slice(0, at) + OPENING + html.slice(at);
}
