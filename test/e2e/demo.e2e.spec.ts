import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { processesNaming, Program } from './program.js';

const EDITIONS = [1, 2, 3, 4, 5, 6].map((number) => `edition-${number}.png`);

describe('platen demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'platen-demo-test-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves six different images and a contact sheet, says what they cost, and nothing else', async () => {
    const demo = new Program(['demo'], { TMPDIR: folder }, folder);
    expect(await demo.end()).toBe(0);
    const output = join(folder, 'demo-output');
    expect(readdirSync(output).sort()).toEqual(['contact-sheet.png', ...EDITIONS]);

    const digests = EDITIONS.map((name) => createHash('sha256').update(readFileSync(join(output, name))).digest('hex'));
    expect(new Set(digests).size).toBe(EDITIONS.length);
    expect(await sharp(join(output, 'edition-1.png')).metadata()).toMatchObject({ format: 'png', width: 1024 });
    expect(demo.output).toMatch(/6 {2}oo\w+…\w+ {2}100 % {2}done/);
    expect(demo.output).toMatch(/Cost: \d+(\.\d+)? credits; \d+(\.\d+)? of 10 are left\./);
    expect(processesNaming(folder)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('platen-demo-'))).toEqual([]);
  }, 120_000);

  it('stops all of it when it is interrupted', async () => {
    const demo = new Program(['demo'], { TMPDIR: folder }, folder);
    await demo.prints(/(POST)/);
    expect(await demo.end('SIGINT')).toBe(1);
    expect(demo.errors).toContain('Stopped.');
    expect(processesNaming(folder)).toEqual([]);
  }, 60_000);
});
