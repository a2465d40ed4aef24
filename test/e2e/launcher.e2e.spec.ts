import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../../src');

/** Stands for the compiler: notes that it ran, takes its time, and makes a program. */
const COMPILER = `
  import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
  appendFileSync('builds.log', 'built ');
  process.stdout.write('noise of the compiler');
  await new Promise((resolve) => setTimeout(resolve, 400));
  mkdirSync('dist/src', { recursive: true });
  writeFileSync('dist/src/main.js', \`${`
    const [command] = process.argv.slice(2);
    if (command === 'fail') process.exit(7);
    if (command === 'wait') {
      let signals = 0;
      process.on('SIGINT', () => { signals++; setTimeout(() => { console.log('signals ' + signals); process.exit(3); }, 300); });
      process.on('disconnect', () => { require('node:fs').writeFileSync('orphaned', ''); process.exit(); });
      setInterval(() => {}, 1000);
    }
    console.log('ran ' + command);
  `}\`);
`;

describe('the launcher', () => {
  let project: string;

  /** A project of one source file whose packages are installed, in which the launcher is the real one. */
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'platen-launcher-'));
    cpSync(join(SOURCES, 'launch.mjs'), join(project, 'src/launch.mjs'), { recursive: true });
    cpSync(join(SOURCES, 'launch'), join(project, 'src/launch'), { recursive: true });
    for (const folder of ['apps', 'libs']) mkdirSync(join(project, folder));
    for (const file of ['nest-cli.json', 'tsconfig.json', 'tsconfig.build.json']) write(file, '{}');
    for (const file of ['package-lock.json', 'node_modules/.package-lock.json']) write(file, '{"packages":{}}');
    write('node_modules/@nestjs/cli/package.json', '{"type":"module"}');
    write('node_modules/@nestjs/cli/bin/nest.js', COMPILER);
    write('apps/studio/build.mjs', '');
  });

  afterEach(() => rmSync(project, { recursive: true, force: true }));

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }

  function launch(...args: string[]) {
    const child = spawn(process.execPath, ['src/launch.mjs', ...args], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
    const result = { child, output: '', ended: once(child, 'close').then(([code]) => code as number) };
    child.stdout.on('data', (piece: Buffer) => (result.output += piece.toString()));
    return result;
  }

  const builds = () => readFileSync(join(project, 'builds.log'), 'utf8').trim().split(' ').length;

  it('builds once for commands that start together, and keeps standard output for the command', async () => {
    const runs = ['a', 'b', 'c'].map((name) => launch(name));
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(runs.map(({ output }) => output)).toEqual(['ran a\n', 'ran b\n', 'ran c\n']);
    expect(builds()).toBe(1);
  });

  it('builds again when a source has changed, and only then', async () => {
    await launch('a').ended;
    await launch('a').ended;
    expect(builds()).toBe(1);
    write('libs/new.ts', 'export const changed = true;');
    await launch('a').ended;
    expect(builds()).toBe(2);
  });

  it('is not held up by a launcher that was killed while it built', async () => {
    write('.launch.lock', '4194304');
    expect(await launch('a').ended).toBe(0);
    expect(existsSync(join(project, '.launch.lock'))).toBe(false);
  });

  it('passes the exit code on', async () => {
    expect(await launch('fail').ended).toBe(7);
  });

  it('hands a signal on once, though Ctrl-C brings it twice under npm', async () => {
    const run = launch('wait');
    while (!run.output.includes('ran wait')) await once(run.child.stdout, 'data');
    run.child.kill('SIGINT');
    setTimeout(() => run.child.kill('SIGINT'), 50);
    expect(await run.ended).toBe(3);
    expect(run.output).toContain('signals 1');
  });

  it('takes the command with it when it is killed', async () => {
    const run = launch('wait');
    while (!run.output.includes('ran wait')) await once(run.child.stdout, 'data');
    run.child.kill('SIGKILL');
    await run.ended;
    expect(existsSync(join(project, 'orphaned'))).toBe(true);
  });
});
