import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Source {
  /** From the project's root, with `/`. */
  path: string;
  text: string;
  /** What it imports: packages by name, files of the project by path. */
  imports: string[];
}

const SPECIFIER = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** Every TypeScript file below the folders; tests and contracts of tests only when asked for. */
export function sourcesIn(folders: string[], { tests = false } = {}): Source[] {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .filter((entry) => tests || !/\.(spec|contract)\.ts$/.test(entry.name))
    .map((entry) => read(relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/')));
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = [...text.matchAll(SPECIFIER)].map(([, specifier = '']) => specifier);
  return { path, text, imports: specifiers.map((specifier) => target(path, specifier)) };
}

function target(path: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1);
  if (specifier.startsWith('.')) return posix.join(posix.normalize(dirname(path)), specifier);
  return specifier;
}
