import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const root = new URL('../../', import.meta.url);
const options = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** `#libs/x.js` and `./x.js` mean `x.ts`. */
export async function resolve(specifier, context, next) {
  const alias = /^#((?:libs|apps)\/.*)$/.exec(specifier);
  if (!alias && !specifier.startsWith('.')) return next(specifier, context);
  const url = new URL(alias ? alias[1] : specifier, alias ? root : context.parentURL);
  const source = new URL(url.href.replace(/\.js$/, '.ts'));
  return next(existsSync(fileURLToPath(source)) ? source.href : url.href, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { ...options, filename });
  return { format: 'module', source: code, shortCircuit: true };
}
