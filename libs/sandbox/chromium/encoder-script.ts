import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the recorder finds the encoder. */
export const ENCODER_PATH = '.platen/encoder.js';

/** Plain scripts that share the name `platen`, in the order they need each other. */
const PARTS = ['outbox', 'camera', 'container-writer', 'gif-writer', 'main'];

const require = createRequire(import.meta.url);
const part = (name: string) => readFileSync(join(import.meta.dirname, 'page', 'encoder', `${name}.page.js`), 'utf8');
const mediabunny = () =>
  readFileSync(join(dirname(require.resolve('mediabunny')), 'mediabunny.min.cjs'), 'utf8');
const gifenc = () => readFileSync(require.resolve('gifenc'), 'utf8');

let script: string | undefined;

/** Encodes videos in the page: containers and codecs by Mediabunny on WebCodecs, GIF by gifenc. */
export function encoderScript(): string {
  script ??= `(() => {\n'use strict';\n${mediabunny()}
const gifenc = ((exports) => {\n${gifenc()}\nreturn exports; })({});\nconst platen = {};\n${PARTS.map(part).join('\n')}})();`;
  return script;
}
