import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const BASH_BLOCK = /^```bash\n([\s\S]*?)^```$/gm;
const TIME_LIMIT_MS = 60_000;

export interface Pasted {
  output: string;
  errors: string;
  /** Where the commands ran, with the files they left. */
  folder: string;
}

/** The walk through the API, as README has it: the block that begins with the server's address. */
export function walkThrough(): string {
  const walk = bashBlocks('README.md').find((block) => block.startsWith('URL='));
  if (!walk) throw new Error('README.md has no walk through the API');
  return walk;
}

/** All commands of a guide, after the lines of the walk that they stand on. */
export function guide(name: string): string {
  const [preparation = ''] = walkThrough().split('\n\n', 1);
  return [preparation, ...bashBlocks(`docs/guides/${name}.md`)].join('\n');
}

/** Runs commands as if pasted into a shell in Platen's folder, but leaves their files in one of its own. */
export async function paste(commands: string, environment: Record<string, string>): Promise<Pasted> {
  const folder = mkdtempSync(join(tmpdir(), 'platen-documented-'));
  for (const name of ['package.json', 'src', 'examples']) symlinkSync(join(ROOT, name), join(folder, name));
  const { PATH = '', HOME = '' } = process.env;
  const shell = spawn('bash', ['-c', commands], {
    cwd: folder, env: { PATH, HOME, NPM_CONFIG_LOGLEVEL: 'error', ...environment }, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT_MS,
  });
  const pasted: Pasted = { output: '', errors: '', folder };
  shell.stdout.on('data', (piece: Buffer) => (pasted.output += piece.toString()));
  shell.stderr.on('data', (piece: Buffer) => (pasted.errors += piece.toString()));
  await once(shell, 'close');
  return pasted;
}

const bashBlocks = (file: string): string[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(BASH_BLOCK)].map(([, commands = '']) => commands);
