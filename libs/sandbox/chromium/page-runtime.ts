import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a page finds the script that names the edition. */
export const EDITION_PATH = '.platen/edition.js';

/**
 * Asks for the edition once what stands before has run. The browser reads ahead for scripts and would
 * ask for one that is plain to see before its turn.
 */
export const EDITION_SCRIPT = `<script>document.write('<script src="/${EDITION_PATH}"></' + 'script>')</script>`;

/** In the order they need each other. They are plain scripts that share the name `platen`. */
const PARTS = [
  'safely', 'sha256', 'random', 'log', 'clock', 'loads', 'errors', 'surroundings', 'pseudorandom', 'fxhash', 'p5',
  'recorder', 'main',
];

const read = (part: string) => readFileSync(join(import.meta.dirname, 'page', `${part}.page.js`), 'utf8');

let script: string | undefined;

/**
 * What runs in the page before the sketch: seeded randomness, virtual time, fxhash's names, the capture, the
 * recording.
 * It waits for `platen.begin(edition)`, which hides it from the sketch.
 */
export function pageRuntime(): string {
  script ??= `(() => {\n'use strict';\nconst platen = (window.platen = {});\n${PARTS.map(read).join('\n')}})();`;
  return script;
}
