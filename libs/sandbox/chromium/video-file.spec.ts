import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { VideoFile } from './video-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platen-video-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('VideoFile', () => {
  it('takes pieces in any order, the later over the earlier, and leaves no name behind', async () => {
    const file = await VideoFile.createIn(folder);
    await file.write(6, Buffer.from('tail'));
    await file.write(0, Buffer.from('GIF87a'));
    await file.write(4, Buffer.from('9'));
    expect(await readdir(folder)).toEqual([]);
    expect((await buffer(await file.read('gif', undefined))).toString()).toBe('GIF89atail');
  });

  it('is what it should be, or nothing', async () => {
    const file = await VideoFile.createIn(folder);
    await file.write(0, Buffer.from('<html>'));
    for (const format of ['webm', 'mp4', 'gif'] as const) {
      await expect(file.read(format, undefined)).rejects.toMatchObject({ reason: 'error', permanent: true });
    }
    await file.close();
  });

  it('grows to 2 GiB at most, wherever a page wants its pieces', async () => {
    const file = await VideoFile.createIn(folder);
    await file.write(2 * 1024 ** 3 - 4, Buffer.from('last'));
    const beyond = file.write(2 * 1024 ** 3 - 3, Buffer.from('over'));
    await expect(beyond).rejects.toMatchObject({ reason: 'error', permanent: true });
    await file.close();
  });
});
