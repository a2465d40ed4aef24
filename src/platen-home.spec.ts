import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlatenHome } from './platen-home.js';

describe('PlatenHome', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'platen-home-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes secrets once, each its own, for the owner alone', () => {
    const secrets = new PlatenHome(folder).secrets();
    expect(new PlatenHome(folder).secrets()).toEqual(secrets);
    expect(secrets.JWT_SECRET).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets.PLATEN_MASTER_KEY).not.toBe(secrets.JWT_SECRET);
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('does not take a process that is no Platen, nor half a file, for the one that runs from it', () => {
    const home = new PlatenHome(folder);
    expect(home.running()).toBeUndefined();
    home.announce({ pid: 1, url: 'http://127.0.0.1:3000', databaseUrl: 'postgres://127.0.0.1/platen' });
    expect(home.running()).toBeUndefined();
    writeFileSync(join(folder, 'running.json'), '{ "pid": ');
    expect(home.running()).toBeUndefined();
    home.withdraw();
    expect(home.running()).toBeUndefined();
  });
});
