import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './run.mjs';

/** Runs `npm ci` unless what npm says it has installed is what package-lock.json asks for. */
export async function install() {
  if (isInstalled()) return;
  process.stderr.write('Installing packages (once, about a minute) …\n');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  await prepare('npm', args, 'The packages could not be installed: see above.');
}

export function isInstalled() {
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf('node_modules/.package-lock.json');
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = present[path];
    // Optional ones are those of other platforms.
    return found ? found.version === version && found.integrity === integrity : optional || devOptional;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return {};
  }
}
