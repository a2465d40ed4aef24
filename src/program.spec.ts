import { createProgram } from './program.js';

async function failureOf(...args: string[]): Promise<string> {
  const program = createProgram().exitOverride();
  let text = '';
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: (piece) => (text += piece), writeOut: (piece) => (text += piece) });
  }
  await program.parseAsync(args, { from: 'user' }).catch(() => undefined);
  return text;
}

describe('platen', () => {
  it('shows its commands', async () => {
    const help = await failureOf('--help');
    for (const command of ['up', 'api', 'worker', 'migrate', 'token', 'demo']) expect(help).toContain(`  ${command} `);
  });

  it.each([
    [['token'], '--sub'],
    [['token', '--sub', 'me'], 'not a UUID'],
    [['token', '--sub', '0193fd6c-0000-7000-8000-000000000000', '--credits', '-1'], 'not a number above zero'],
    [['token', '--sub', '0193fd6c-0000-7000-8000-000000000000', '--role', 'king'], 'user, admin'],
    [['dance'], 'unknown command'],
  ])('refuses %j', async (args, reason) => {
    expect(await failureOf(...args)).toContain(reason);
  });
});
