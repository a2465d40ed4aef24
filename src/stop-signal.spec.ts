import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const here = (file: string) => pathToFileURL(join(import.meta.dirname, file)).href;
const PATIENCE_MS = 20_000;

/** `late`: it is still loading when its launcher dies. */
const program = (when: 'early' | 'late') => `
  while (${when === 'late'} && process.connected) await new Promise((resolve) => setTimeout(resolve, 10));
  const { stopSignal } = await import(${JSON.stringify(here('stop-signal.ts'))});
  setTimeout(() => process.exit(1), ${PATIENCE_MS});
  process.send?.('listens');
  await stopSignal();
  process.exit(0);
`;

function start(when: 'early' | 'late') {
  const file = join(tmpdir(), `stop-signal-${when}.mjs`);
  writeFileSync(file, program(when));
  return fork(file, { execArgv: ['--import', here('../test/setup/typescript.mjs')] });
}

describe('a program that its launcher has left', () => {
  it('stops when the launcher goes away', async () => {
    const child = start('early');
    await once(child, 'message');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('stops when the launcher went away before it listened', async () => {
    const child = start('late');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
