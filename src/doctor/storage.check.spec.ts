import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atRest, buildPatient } from '../../test/factories/patient.js';
import { storageCheck } from './storage.check.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'platen-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const examine = (path: string) => storageCheck.examine(buildPatient({ STORAGE_PATH: path }), atRest);

it('writes, reads and deletes a file, and leaves none behind', async () => {
  expect(await examine(folder)).toMatchObject([{ verdict: 'ok' }]);
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  expect(left).toEqual([]);
});

it('finds that nothing can be written', async () => {
  writeFileSync(join(folder, 'file'), '');
  expect(await examine(join(folder, 'file'))).toMatchObject([{ verdict: 'fail', text: expect.stringContaining('cannot be written'), advice: expect.stringContaining('STORAGE_PATH') }]);
});
