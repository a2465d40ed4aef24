// Bundles the studio to dist/apps/studio/site: one page, and files named by their content.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const sources = fileURLToPath(new URL('./', import.meta.url));
const site = fileURLToPath(new URL('../../dist/apps/studio/site/', import.meta.url));

/** Browsers of the last three years. */
const TARGET = ['chrome109', 'firefox115', 'safari16.4'];

rmSync(site, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: sources,
  entryPoints: ['main.tsx', 'styles/studio.css'],
  outdir: join(site, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  target: TARGET,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(site, 'index.html'), page(metafile.outputs));
Object.keys(metafile.outputs).forEach((path) => compress(join(sources, path)));

/** The page with the names of what was built, and of all that the first script imports at once. */
function page(outputs) {
  const built = Object.entries(outputs).map(([path, output]) => ({ ...output, path, name: nameOf(path) }));
  const script = built.find(({ entryPoint }) => entryPoint === 'main.tsx');
  const style = built.find(({ entryPoint }) => entryPoint === 'styles/studio.css');
  const imported = script.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => nameOf(path));
  const tags = [
    `<link rel="stylesheet" href="${style.name}">`,
    ...imported.map((name) => `<link rel="modulepreload" href="${name}">`),
    `<script type="module" src="${script.name}"></script>`,
  ];
  return readFileSync(join(sources, 'page.html'), 'utf8').replace('<!-- built -->', tags.join('\n    '));
}

/** Once, here, for whoever can take it. */
function compress(file) {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  writeFileSync(`${file}.gz`, gzipSync(bytes));
}

/** The address of a built file. esbuild names them from where it works. */
function nameOf(path) {
  return `/studio/${relative(site, join(sources, path)).replaceAll('\\', '/')}`;
}
