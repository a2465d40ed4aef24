import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStorage } from './index.js';
import { LocalStorage } from './local.storage.js';
import { describeStorage } from './storage.contract.js';
import { InvalidStorageKey } from './storage-key.js';

const TEXT = { mimeType: 'text/plain' };
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'platen-storage-'));
});
afterEach(() => rm(home, { recursive: true }));

describeStorage('LocalStorage', async () => new LocalStorage(join(home, 'storage')));

describe(LocalStorage.name, () => {
  const root = () => join(home, 'storage');
  const storage = () => new LocalStorage(root());
  const secret = async () => {
    await mkdir(join(home, 'outside'));
    await writeFile(join(home, 'outside', 'secret'), 'secret');
    await mkdir(root());
  };

  it('does not take a folder that is away for one in which there is nothing', async () => {
    const [mounted, away] = [storage(), `${root()}.away`];
    await mounted.place();
    expect(await mounted.stat('a.png')).toBeNull();
    await rename(root(), away);
    await expect(mounted.stat('a.png')).rejects.toThrow('ENOENT');
    await rename(away, root());
    expect(await mounted.stat('a.png')).toBeNull();
  });

  it('follows no link to a file', async () => {
    await secret();
    await symlink(join(home, 'outside', 'secret'), join(root(), 'link'));
    await expect(storage().open('link')).rejects.toThrow('No object at link');
    expect(await storage().stat('link')).toBeNull();
  });

  it('follows no link to a folder, reading or writing', async () => {
    await secret();
    await symlink(join(home, 'outside'), join(root(), 'folder'));
    const source = join(home, 'outside', 'secret');
    await expect(storage().open('folder/secret')).rejects.toThrow(InvalidStorageKey);
    await expect(storage().put('folder/new', source, TEXT)).rejects.toThrow(InvalidStorageKey);
    await expect(storage().delete('folder/secret')).rejects.toThrow(InvalidStorageKey);
    expect(await readdir(join(home, 'outside'))).toEqual(['secret']);
  });

  it('leaves no temporary file when a put fails or a check succeeds', async () => {
    await storage().check();
    await mkdir(join(root(), 'taken'));
    const source = join(home, 'source');
    await writeFile(source, 'content');
    await expect(storage().put('taken', source, TEXT)).rejects.toThrow();
    expect(await readdir(root())).toEqual(['taken']);
  });

  it('lies elsewhere than one in another folder', async () => {
    const other = new LocalStorage(join(home, 'other'));
    expect(await storage().place()).toBe(await storage().place());
    expect(await storage().place()).not.toBe(await other.place());
  });

  it('is not ready where its folder cannot be made', async () => {
    await writeFile(root(), 'a file, not a folder');
    await expect(storage().check()).rejects.toThrow();
  });
});

describe(createStorage.name, () => {
  it('keeps files in PLATEN_HOME unless told otherwise, and writes nothing before it is used', async () => {
    const storage = await createStorage({ STORAGE_DRIVER: 'local', PLATEN_HOME: home });
    expect(await readdir(home)).toEqual([]);
    await storage.check();
    expect(await readdir(home)).toEqual(['storage']);
  });

  it.each(['s3', 'azure', 'gcs'])('needs a bucket for %s', async (driver) => {
    const creating = createStorage({ STORAGE_DRIVER: driver, PLATEN_HOME: home });
    await expect(creating).rejects.toThrow('STORAGE_BUCKET');
  });

  it('needs an account for Azure', async () => {
    const creating = createStorage({ STORAGE_DRIVER: 'azure', STORAGE_BUCKET: 'platen', PLATEN_HOME: home });
    await expect(creating).rejects.toThrow('AZURE_STORAGE');
  });

  it('refuses a driver it does not know', async () => {
    await expect(createStorage({ STORAGE_DRIVER: 'tape', PLATEN_HOME: home })).rejects.toThrow('tape');
  });
});
