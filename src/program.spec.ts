import { createProgram } from './program.js';

async function printed(...args: string[]): Promise<string> {
  const program = createProgram().exitOverride();
  let text = '';
  const write = (piece: string) => {
    text += piece;
  };
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: write, writeOut: write });
  }
  await program.parseAsync(args, { from: 'user' }).catch(() => undefined);
  return text;
}

const USER = '0193fd6c-0000-7000-8000-000000000000';

describe('platen', () => {
  it('shows its commands', async () => {
    const help = await printed('--help');
    const commands = ['up', 'api', 'worker', 'migrate', 'rotate-keys', 'token', 'demo', 'doctor', 'prune', 'queue'];
    for (const name of commands) expect(help).toContain(`  ${name} `);
  });

  it.each([
    [['token'], '--sub'],
    [['token', '--sub', 'me'], 'not a UUID'],
    [['token', '--sub', USER, '--credits', '-1'], 'not a number above zero'],
    [['token', '--sub', USER, '--role', 'king'], 'user, admin'],
    [['demo', '--face', 'v9'], 'collections, v1, two-step'],
    [['generate', 'x', '--var', 'word'], 'not name=value'],
    [['generate', 'x', '--editions', '0'], 'not a whole number above zero'],
    [['completion', 'fish'], 'bash, zsh'],
    [['dance'], 'unknown command'],
  ])('refuses %j', async (args, reason) => {
    expect(await printed(...args)).toContain(reason);
  });
});
