import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideChromium } from './chromium-files.js';

const folders: string[] = [];
const freshFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'platen-chromium-files-'));
  folders.push(folder);
  return folder;
};
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe('provideChromium', () => {
  it('unpacks once for all who come at once, over what a crash left, and keeps it', async () => {
    const cache = await freshFolder();
    await mkdir(join(cache, 'chromium-153.0.0.unpacking-abc'));
    await mkdir(join(cache, 'chromium-153.0.0.lock'));
    const longAgo = new Date(Date.now() - 600_000);
    await utimes(join(cache, 'chromium-153.0.0.lock'), longAgo, longAgo);
    const [one, two] = await Promise.all([provideChromium(cache), provideChromium(cache)]);
    const { ino } = await stat(one!.executable);
    expect(two).toEqual(one);
    expect((await readdir(cache)).sort()).toEqual(['chromium-153.0.0', 'fonts.conf', 'launch.sh']);
    expect((await stat((await provideChromium(cache)).executable)).ino).toBe(ino);
  });

  it("names shipped fonts only, and takes the operator's own browser", async () => {
    const cache = await freshFolder();
    const files = await provideChromium(cache, '/opt/chrome');
    expect(files).toMatchObject({ executable: '/opt/chrome', libraries: undefined });
    const named = (await readFile(files.fontConfig, 'utf8')).match(/<dir>.*<\/dir>/g);
    expect(named).toEqual([expect.stringContaining('dejavu-fonts-ttf')]);
  });
});
