import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { processesNaming, Program } from './program.js';

const EDITIONS = [1, 2, 3, 4, 5, 6].map((number) => `edition-${number}.png`);
const IMAGES = [1, 2, 3].map((number) => `image-${number}.jpg`);

describe('platen demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'platen-demo-test-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves six different images and a contact sheet, says what they cost, and nothing else', async () => {
    const demo = new Program(['demo'], { TMPDIR: folder }, folder);
    expect(await demo.end()).toBe(0);
    const output = join(folder, 'demo-output');
    expect(readdirSync(output).sort()).toEqual(['contact-sheet.png', ...EDITIONS]);

    expect(new Set(EDITIONS.map((name) => sha256(join(output, name)))).size).toBe(EDITIONS.length);
    expect(await sharp(join(output, 'edition-1.png')).metadata()).toMatchObject({ format: 'png', width: 1024 });
    expect(demo.output).toMatch(/6 {2}oo\w+…\w+ {2}100 % {2}done/);
    expect(demo.output).toMatch(/Cost: \d+(\.\d+)? credits; \d+(\.\d+)? of 10 are left\./);
    expect(processesNaming(folder)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('platen-demo-'))).toEqual([]);
  }, 120_000);

  it('shows the v1 API by a stand-in for Replicate, and says so: words and an image make three images', async () => {
    const demo = new Program(['demo', '--face', 'v1'], { TMPDIR: folder }, folder);
    expect(await demo.end()).toBe(0);
    expect(demo.output).toContain('The pictures come from the stand-in, not from Replicate');
    expect(demo.output).toMatch(/ s {2}succeeded\n[^]+ s {2}succeeded\n[^]+ s {2}succeeded\n/);
    // A repeated key: the same generation, and its price once.
    const [, first, again] = demo.output.split('Idempotency-Key: hills-at-dawn');
    expect(idIn(first)).toBeTruthy();
    expect(idIn(again)).toBe(idIn(first));
    expect(demo.output).toContain('Cost: 3 credits; 7 of 10 are left.');

    const images = IMAGES.map((name) => join(folder, 'demo-output', name));
    for (const image of images) expect(await sharp(image).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 640 });
    expect(new Set(images.map(sha256)).size).toBe(IMAGES.length);
    expect(demo.output).toContain('demo-output/contact-sheet.png');
    expect(processesNaming(folder)).toEqual([]);
  }, 60_000);

  it('shows the two-step API: records first, then one after another is begun', async () => {
    const demo = new Program(['demo', '--face', 'two-step'], { TMPDIR: folder }, folder);
    expect(await demo.end()).toBe(0);
    expect(demo.output.match(/"status": "pending"/g)).toHaveLength(3);
    expect(demo.output.match(/ s {2}generation_completed$/gm)).toHaveLength(3);
    expect(demo.output.match(/"status": "completed", "tokensUsed": 1/g)).toHaveLength(3);
    expect(demo.output).toContain('Cost: 3 credits; 7 of 10 are left.');
  }, 60_000);

  it('stops all of it when it is interrupted', async () => {
    const demo = new Program(['demo'], { TMPDIR: folder }, folder);
    await demo.prints(/(POST)/);
    expect(await demo.end('SIGINT')).toBe(1);
    expect(demo.errors).toContain('Stopped.');
    expect(processesNaming(folder)).toEqual([]);
  }, 60_000);
});

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

const idIn = (text = ''): string | undefined => /"id": "([0-9a-f-]{36})"/.exec(text)?.[1];
