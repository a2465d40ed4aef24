import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import type { Sketch, SketchRun, VideoRun } from '#libs/sandbox/sketch-renderer.js';
import { captureRule, createsCanvas } from './capture-rule.js';
import { ENCODER_PATH, encoderScript } from './encoder-script.js';
import { adoptLibraries, isLibraryFile, sketchScripts } from './index-html.js';
import { EDITION_PATH, EDITION_SCRIPT, pageRuntime } from './page-runtime.js';

/** `*.localhost` is a secure context, so that crypto and WebCodecs are there. */
export const SKETCH_ORIGIN = 'http://sketch.localhost';

export interface SiteFile {
  body: string | Buffer;
  contentType: string;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.htm': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.xml': 'text/xml',
};

const require = createRequire(import.meta.url);
const p5Folder = (version: Sketch['p5Version']) =>
  join(dirname(require.resolve(version === '1' ? 'p5' : 'p5v2')), '..', 'lib');

/** The exact release of p5 that a version stands for. */
export function p5Release(version: Sketch['p5Version']): string {
  return (require(join(p5Folder(version), '..', 'package.json')) as { version: string }).version;
}

/** Without `charset=utf-8`, p5 2 does not even parse. */
const textFile = (path: string, body: string): SiteFile => ({
  body,
  contentType: `${TYPES[extname(path).toLowerCase()] ?? 'text/plain'}; charset=utf-8`,
});

const libraryTexts = new Map<string, string>();
function libraryText(path: string): string {
  const text = libraryTexts.get(path) ?? readFileSync(path, 'utf8');
  libraryTexts.set(path, text);
  return text;
}
const p5Text = (version: Sketch['p5Version']) => libraryText(join(p5Folder(version), 'p5.min.js'));

/** What every page of one p5 version gets, whatever its sketch: it can be loaded before there is one. */
export function commonFile(path: string, version: Sketch['p5Version']): SiteFile | undefined {
  if (path === ENCODER_PATH) return textFile(path, encoderScript());
  if (path === '.platen/p5.js') return textFile(path, p5Text(version));
  if (path === '.platen/p5.sound.js' && version === '1') {
    return textFile(path, libraryText(join(p5Folder(version), 'addons', 'p5.sound.min.js')));
  }
  return undefined;
}

/** The page around a sketch that is one program. It stops at the edition until there is one. */
const CODE_PAGE = `<!doctype html>
<html><head><meta charset="utf-8"><title>Sketch</title>
<style>html, body { margin: 0; padding: 0; overflow: hidden } canvas { display: block }</style>
${EDITION_SCRIPT}
</head><body><main></main><script src="/sketch.js"></script></body></html>`;

/** The document of a sketch, before its edition is known. */
export interface SketchDocument {
  html: string;
  /** What runs before anything in it. The browser gets it once, not with each document: p5 is a million characters. */
  programs: string[];
}

export const sketchDocument = ({ source, p5Version }: Sketch): SketchDocument =>
  'code' in source
    ? { html: CODE_PAGE, programs: [pageRuntime(), p5Text(p5Version)] }
    : { html: adoptLibraries(source.files), programs: [pageRuntime()] };

/** What the sketch's author wrote, without libraries that came along: what the capture rule goes by. */
export const sourceText = ({ source }: Sketch): string => {
  if ('code' in source) return source.code;
  const scripts = Object.entries(source.files).filter(([path]) => /\.[cm]?js$/.test(path) && !isLibraryFile(path));
  return [sketchScripts(source.files['index.html'] ?? ''), ...scripts.map(([, text]) => text)].join('\n');
};

/** The script that names the edition and starts the virtual time. */
function editionScript(sketch: SketchRun | VideoRun): string {
  const code = sourceText(sketch);
  const edition = {
    hash: sketch.hash,
    variables: sketch.variables,
    pixelDensity: sketch.pixelDensity,
    renderer: sketch.renderer === 'WEBGL' ? 'WEBGL' : 'P2D',
    ...('video' in sketch ? { video: sketch.video } : { format: sketch.format }),
    isPreview: sketch.isPreview,
    endsAt: captureRule(code),
    createsCanvas: createsCanvas(code),
  };
  return `platen.begin(${JSON.stringify(edition)});`;
}

/** Files by their path, of one sketch. Images shadow nothing of the sketch's own. */
export function sketchFiles(sketch: SketchRun | VideoRun): Map<string, SiteFile> {
  const own = 'code' in sketch.source ? { 'sketch.js': sketch.source.code } : sketch.source.files;
  const files = new Map<string, SiteFile>();
  for (const [path, asset] of Object.entries(sketch.assets)) {
    const { buffer, byteOffset, byteLength } = asset.bytes;
    files.set(plainPath(path), { body: Buffer.from(buffer, byteOffset, byteLength), contentType: asset.mimeType });
  }
  for (const [path, text] of Object.entries(own)) files.set(plainPath(path), textFile(path, text));
  files.set(EDITION_PATH, textFile(EDITION_PATH, editionScript(sketch)));
  return files;
}

const plainPath = (path: string) => path.replace(/^(\.?\/)+/, '');

/**
 * No other source than the sketch's own host, no workers (their clock and randomness are not ours), no
 * frames, forms, pop-ups, downloads or dialogs, no WebRTC.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob: data:",
  "style-src 'self' 'unsafe-inline' data:",
  "img-src 'self' blob: data:",
  "font-src 'self' blob: data:",
  "media-src 'self' blob: data:",
  "connect-src 'self' blob: data:",
  "worker-src 'none'",
  "form-action 'none'",
  "base-uri 'self'",
  "webrtc 'block'",
  'sandbox allow-scripts allow-same-origin',
].join('; ');
