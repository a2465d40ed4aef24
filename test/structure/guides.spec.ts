import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../src/program.js';
import { root } from './sources.js';

const GUIDES = readdirSync(join(root, 'docs/guides')).map((name) => join('docs/guides', name));
const FILES = ['README.md', 'docs/operations.md', ...GUIDES];
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Commands of a file. Those in `bash` blocks are run (test/e2e/readme.e2e.spec.ts); `sh` needs what a test has not: a cloud, Docker, a key. */
const commandsIn = (file: string): string[] =>
  [...read(file).matchAll(/^ *```(?:bash|sh)\n([\s\S]*?)^ *```$/gm)].map(([, commands = '']) => commands);

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
/** The clouds' own names, which their libraries read. */
const OF_CLOUDS = /^(AWS|GOOGLE|AZURE|OTEL)_/;
/** What the command line reads. */
const OF_COMMAND_LINE = ['PLATEN_URL', 'PLATEN_TOKEN'];
const ofServers = [...read('.env.example').matchAll(/^# ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name = '']) => name);
const settings = new Set([...OF_COMMAND_LINE, ...ofServers]);

/** Whether the words are a command of `program`, as far as they name one. */
function isCommand(program: Command, [word, ...words]: string[]): boolean {
  if (word === undefined || program.commands.length === 0) return true;
  const found = program.commands.find((command) => command.name() === word);
  return found !== undefined && isCommand(found, words);
}

describe.each(FILES)('the commands of %s', (file) => {
  const text = commandsIn(file).join('\n');

  it('are what a shell can read', () => {
    for (const commands of commandsIn(file)) {
      expect(spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    }
  });

  it('are there: scripts of npm, and verbs of platen', () => {
    const run = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
    const verbs = [...text.matchAll(/npx platen ([a-z][a-z -]*)/g)].map(([, words = '']) => words.trim().split(/\s+/));
    expect(verbs.filter((words) => !isCommand(createProgram(), words))).toEqual([]);
  });

  it('set what is a setting', () => {
    const exported = [...text.matchAll(/^ *export (.+)$/gm)].flatMap(([, rest = '']) => [...rest.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)]);
    const before = [...text.matchAll(/^ *([A-Z][A-Z0-9_]+)=\S+ +(?:npm|npx|[A-Z])/gm)];
    const names = [...exported, ...before].map(([, name = '']) => name).filter((name) => !OF_CLOUDS.test(name));
    expect(names.filter((name) => !settings.has(name))).toEqual([]);
  });
});
