import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

const renderer = testRenderer();
afterAll(() => renderer.close());

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
const parentOf = (pid: number) => Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1]);
const children = (parent: number): number[] =>
  readdirSync('/proc').map(Number).filter((pid) => pid > 0 && parentOf(pid) === parent);
const commandOf = (pid: number) => read(`/proc/${pid}/cmdline`);
const browsers = () => children(process.pid).filter((pid) => commandOf(pid).includes('--remote-debugging-pipe'));
const profileOf = (pid: number) => /--user-data-dir=([^\0]+)/.exec(commandOf(pid))?.[1] ?? '';

/** All it sees, apart from what the shell that starts it as nobody adds. */
const SEEN_BY_BROWSER = ['FONTCONFIG_FILE', 'LANG', 'LD_LIBRARY_PATH', 'PATH', 'PLATEN_CHROMIUM', 'TZ'];
const SHELL = ['', '_', 'PWD', 'OLDPWD', 'SHLVL'];

describe('the browser', () => {
  it('is replaced when it dies, without losing the render', async () => {
    const own = testRenderer();
    const before = browsers();
    try {
      await own.render(sketchRun('function draw() {}'));
      const pid = browsers().find((each) => !before.includes(each));
      const slow = own.render(sketchRun('function draw() { if (frameCount === 3000) capture(); }'));
      setTimeout(() => process.kill(pid!, 'SIGKILL'), 100);
      expect((await slow).width).toBe(64);
    } finally {
      await own.close();
    }
  });

  it('runs sketches as another user, under seccomp, with nothing of our environment', async () => {
    await renderer.render(sketchRun('function draw() {}'));
    const [browser] = browsers();
    const renderers = children(browser!).flatMap(children).flatMap((pid) => [pid, ...children(pid)]);
    const sandboxed = renderers.filter((pid) => commandOf(pid).includes('--type=renderer'));
    expect(sandboxed.length).toBeGreaterThan(0);
    for (const pid of sandboxed) expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/Seccomp:\s+2/);
    const environment = read(`/proc/${browser}/environ`).split('\0').map((entry) => entry.split('=')[0] ?? '');
    expect(environment.filter((name) => !SHELL.includes(name)).sort()).toEqual(SEEN_BY_BROWSER);
  });

  it('leaves no process and no folder behind', async () => {
    const before = browsers();
    const own = testRenderer();
    await own.render(sketchRun('function draw() {}'));
    const profile = profileOf(browsers().find((pid) => !before.includes(pid)) ?? 0);
    expect(existsSync(profile)).toBe(true);
    await own.close();
    expect(browsers()).toEqual(before);
    expect(existsSync(profile)).toBe(false);
    await expect(own.render(sketchRun('function draw() {}'))).rejects.toMatchObject({ reason: 'browser' });
  });
});
