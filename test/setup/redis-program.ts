import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis } from '../../src/embedded/redis.js';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/platen/redis');
const UNPACKED = join(CACHE, 'redis-server');
/** `redis-server` and the libraries that a Debian without it may lack. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];
const STEP_TIMEOUT_MS = 120_000;

/** The Redis on PATH, else the one that was unpacked before; for tests that start one of their own. */
export function findTestRedis(): string | undefined {
  return findRedis() ?? (existsSync(UNPACKED) ? UNPACKED : undefined);
}

/**
 * The Redis on PATH, else one out of Debian's packages. Those are unpacked beside the node modules and
 * not installed: that would start a service which outlives the tests. `undefined`, and a sentence on
 * standard error, where there is none.
 */
export function findOrInstallRedis(): string | undefined {
  const found = findTestRedis();
  if (found) return found;
  try {
    unpackDebianRedis();
    return UNPACKED;
  } catch (error) {
    process.stderr.write(
      'There is no Redis here: tests that need one are skipped. Install redis-server or set ' +
        `PLATEN_TEST_REDIS_URL. (apt-get: ${String(error).split('\n')[0]})\n`,
    );
    return undefined;
  }
}

function unpackDebianRedis(): void {
  const draft = `${CACHE}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    download(draft);
    const packages = readdirSync(draft).filter((name) => name.endsWith('.deb'));
    for (const name of packages) run('dpkg-deb', ['-x', name, '.'], draft);
    writeFileSync(join(draft, 'redis-server'), wrapper(), { mode: 0o755 });
    run(join(draft, 'redis-server'), ['--version'], draft);
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(draft, CACHE);
    if (!existsSync(UNPACKED)) throw new Error('the package holds no redis-server');
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function download(folder: string): void {
  try {
    run('apt-get', ['download', ...PACKAGES], folder);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    run('apt-get', ['update'], folder);
    run('apt-get', ['download', ...PACKAGES], folder);
  }
}

/** Finds the unpacked libraries wherever the folder is moved. */
function wrapper(): string {
  return [
    '#!/bin/sh',
    'here=$(dirname "$(readlink -f "$0")")',
    'LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu*):$(echo "$here"/lib/*-linux-gnu*)',
    'export LD_LIBRARY_PATH',
    'exec "$here/usr/bin/redis-server" "$@"',
    '',
  ].join('\n');
}

function run(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, timeout: STEP_TIMEOUT_MS, stdio: ['ignore', 'ignore', 'pipe'] });
}
