import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testCache } from '../../../test/factories/sketch-run.js';
import { provideChromium } from './chromium-files.js';
import { launchChromium } from './chromium-launch.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platen-chromium-launch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A browser that finds no user namespaces for its sandbox. */
async function browserWithoutNamespaces(): Promise<string> {
  const { executable, libraries } = await provideChromium(testCache);
  const path = join(folder, 'chromium');
  const script = `#!/bin/sh
case "$*" in
  *--no-sandbox*) LD_LIBRARY_PATH=${libraries} exec ${executable} "$@" ;;
  *) echo 'FATAL: No usable sandbox!' >&2; exit 1 ;;
esac
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

describe('launchChromium', () => {
  it('has the sandbox on', async () => {
    const { browser, pid, sandboxed } = await launchChromium({ cacheDirectory: testCache, allowUnsandboxed: true });
    expect({ sandboxed, alive: process.kill(pid, 0) }).toEqual({ sandboxed: true, alive: true });
    await browser.close();
  });

  it('tells it nothing of the host but what it needs', async () => {
    process.env['PLATEN_TEST_SECRET'] = 'known to the worker alone';
    const { browser, pid } = await launchChromium({ cacheDirectory: testCache, allowUnsandboxed: true });
    delete process.env['PLATEN_TEST_SECRET'];
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    await browser.close();
    expect(environment).toContain('TZ=UTC');
    expect(environment).not.toContain('PLATEN_TEST_SECRET');
  });

  it('refuses where the sandbox cannot be had, unless that is waived', async () => {
    const options = { cacheDirectory: testCache, executablePath: await browserWithoutNamespaces() };
    await expect(launchChromium({ ...options, allowUnsandboxed: false })).rejects.toMatchObject({
      reason: 'unsandboxed', permanent: true, message: expect.stringContaining('ALLOW_UNSANDBOXED_CHROMIUM'),
    });
    const { browser, sandboxed } = await launchChromium({ ...options, allowUnsandboxed: true });
    expect(sandboxed).toBe(false);
    await browser.close();
  });

  it('says when there is no browser to start', async () => {
    const options = { cacheDirectory: folder, executablePath: '/nowhere/chrome', allowUnsandboxed: false };
    await expect(launchChromium(options)).rejects.toMatchObject({ reason: 'browser', permanent: false });
  });
});
