#!/usr/bin/env node
// What every command goes through: `npm run demo`, `npm test`, `platen up`, … It knows nothing but Node's
// own modules, so that it works on a fresh clone; it installs and builds what is missing, then hands on.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt } from './launch/build.mjs';
import { makeClient } from './launch/client.mjs';
import { install, isInstalled } from './launch/install.mjs';
import { withLock } from './launch/lock.mjs';
import { root, run } from './launch/run.mjs';

const OLDEST_NODE = [20, 19];

const TOOLS = {
  build: async () => 0,
  test: jest,
  bench: (args) => typescript('test/bench/main.ts', args),
  chaos: (args) => typescript('test/chaos/chaos.ts', args),
  guards: (args) => typescript('test/guards/run.ts', args),
  azurite: (args) => typescript('test/azurite/run.ts', args),
  client: makeClient,
  lint,
  check: async () => (await checkTypes()) || (await lint([])) || jest(['test/structure']),
};

process.exitCode = await main(process.argv.slice(2));

async function main([command = 'help', ...args]) {
  if (!isNodeRecent()) {
    process.stderr.write(`Platen needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.version}.\n`);
    return 1;
  }
  try {
    if (!isInstalled() || !isBuilt()) await withLock(prepareAll);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  if (Object.hasOwn(TOOLS, command)) return TOOLS[command](args);
  if (existsSync('.env')) process.loadEnvFile('.env');
  return run('dist/src/main.js', [command, ...args]);
}

async function prepareAll() {
  await install();
  await build();
}

function isNodeRecent() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

async function checkTypes() {
  const check = (project) =>
    run('node_modules/typescript/bin/tsc', ['--noEmit', '--incremental', 'false', '-p', project], { cwd: root });
  return (await check('.')) || check('apps/studio');
}

function lint(args) {
  return run('node_modules/oxlint/bin/oxlint', args, { cwd: root });
}

/** Runs a program of the tests as it stands in the sources. */
function typescript(program, args) {
  const nodeFlags = ['--import', join(root, 'test/setup/typescript.mjs')];
  return run(program, args, { nodeFlags });
}

function jest(args) {
  // Packages that Jest has compiled to CommonJS load their WebAssembly with import(), which needs the flag.
  const nodeFlags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return run('node_modules/jest/bin/jest.js', args, { cwd: root, nodeFlags });
}
