import { execFileSync } from 'node:child_process';
import { createProgram } from '../program.js';
import { completionScript } from './completion.js';

const script = completionScript(createProgram(), 'bash');

/** What bash offers for the last of the words. */
function offered(...words: string[]): string[] {
  const set = `COMP_WORDS=(platen ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _platen`;
  const output = execFileSync('bash', ['-c', `${script}\n${set}; printf '%s\\n' "\${COMPREPLY[@]}"`]);
  return output.toString().trim().split('\n');
}

describe('platen completion', () => {
  it.each<[string[], string[]]>([
    [['gen'], ['generate']],
    [['jobs', ''], ['list', 'watch', '--help']],
    [['jobs', 'watch', '--o'], ['--out']],
    [['generate', 'some-workflow', '--ed'], ['--editions']],
    [['completion', 'z'], ['zsh']],
    [['nonsense', 'jo'], ['jobs']],
  ])('offers after platen %j: %j', (words, offer) => {
    expect(offered(...words)).toEqual(offer);
  });

  it('knows every command', () => {
    for (const command of createProgram().commands) expect(offered(command.name())).toContain(command.name());
  });
});
