// The package of libs/client: its types are made from the OpenAPI document of this very tree.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './run.mjs';

/** Needed only when the API has changed: not installed with Platen. */
const GENERATOR = 'openapi-typescript@7.13.0';
const GENERATOR_FLAGS = ['--root-types', '--root-types-no-schema-prefix', '--default-non-nullable=false', '--empty-objects-unknown'];
const SOURCES = join(root, 'libs/client');
const PACKAGE = 'dist/client';

/** Writes the types anew where the API has changed, and the package, ready for `npm publish`, to dist/client. */
export async function makeClient() {
  const document = describeApi();
  if (!isFresh(document)) await generate(document);
  await makePackage(join(root, PACKAGE));
  process.stdout.write(`The package is in ${PACKAGE}: npm publish ./${PACKAGE}\n`);
  return 0;
}

/** The part of the OpenAPI document that a client is made from: failures are one class to it. */
export function describeApi() {
  const output = execFileSync(process.execPath, [join(root, 'dist/src/main.js'), 'openapi'], { maxBuffer: 64 * 1024 ** 2 });
  const document = JSON.parse(output.toString(), withSortedChoices);
  for (const operation of operationsOf(document).map(([, , found]) => found)) {
    operation.responses = Object.fromEntries(
      Object.entries(operation.responses).filter(([status]) => status.startsWith('2')),
    );
  }
  return document;
}

/** The compiler lists the members of a union as it met them: a file that has nothing to do with it changes their order. */
const withSortedChoices = (key, value) => (key === 'enum' && Array.isArray(value) ? value.toSorted() : value);

/** Whether the types in the tree were made from this document. */
export function isFresh(document) {
  return readFileSync(join(SOURCES, 'schema.ts'), 'utf8').startsWith(headOf(document));
}

/** Compiles the package to a folder, with nothing in it but what is published. */
export async function makePackage(folder) {
  rmSync(folder, { recursive: true, force: true });
  const args = ['node_modules/typescript/bin/tsc', '-p', SOURCES, '--outDir', folder];
  await prepare(process.execPath, args, 'The client does not compile: see above.');
  for (const name of ['package.json', 'README.md']) copyFileSync(join(SOURCES, name), join(folder, name));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

async function generate(document) {
  const folder = mkdtempSync(join(tmpdir(), 'platen-client-'));
  const [input, output] = [join(folder, 'openapi.json'), join(folder, 'schema.ts')];
  try {
    writeFileSync(input, JSON.stringify(withoutHeaders(document)));
    await prepare('npx', ['--yes', GENERATOR, input, ...GENERATOR_FLAGS, '--output', output], 'No types were made: see above.');
    writeFileSync(join(SOURCES, 'schema.ts'), `${headOf(document)}${readFileSync(output, 'utf8')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(join(SOURCES, 'keyed-posts.ts'), keyedPosts(document));
}

const headOf = (document) =>
  `// Made by \`npm run client\` from the OpenAPI document ${createHash('sha256').update(JSON.stringify(document)).digest('hex')}.\n`;

function keyedPosts(document) {
  const paths = operationsOf(document)
    .filter(([, method, { parameters = [] }]) => method === 'post' && parameters.some(({ name }) => name === 'Idempotency-Key'))
    .map(([path]) => `  '${path}',\n`);
  return `${headOf(document)}/** The POSTs that take an \`Idempotency-Key\`. */\nexport const KEYED_POSTS = [\n${paths.join('')}];\n`;
}

/** The client sets them itself. */
function withoutHeaders(document) {
  const copy = structuredClone(document);
  for (const [, , operation] of operationsOf(copy)) {
    operation.parameters = operation.parameters?.filter((parameter) => parameter.in !== 'header');
  }
  return copy;
}

/** `[path, method, operation]` of each. */
function operationsOf({ paths }) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [path, method, operation]));
}
