import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Balance } from '#libs/credits/account-view.js';
import type { GenerationView, JobView } from '#libs/generations/job-view.js';
import type { WorkflowEstimate } from '#libs/workflows/workflow-estimate.js';
import { freePort } from '../../src/embedded/free-port.js';
import { guide, paste, walkThrough, type Pasted } from './documented-commands.js';
import { Program } from './program.js';

const ROOT = join(import.meta.dirname, '../..');
const GUIDES = join(ROOT, 'docs/guides');
/** That the launcher builds what somebody edits just now; how far the editions of a job are. */
const TOLD_MEANWHILE = /^(Building …| {2}\d+ {2}oo\S+ {2,4}\d+ % {2}.*)\n/gm;
/** By each paste of the walk's first lines. */
const GRANTED = 100;

describe('the commands of README and guides, pasted', () => {
  const home = mkdtempSync(join(tmpdir(), 'platen-readme-'));
  const folders = [home];
  let program: Program;
  let environment: Record<string, string>;

  beforeAll(async () => {
    const receiver = await freePort();
    program = new Program(['up'], { PLATEN_HOME: home, PORT: '0', ALLOWED_HOSTS: `127.0.0.1:${receiver}` });
    const url = await program.prints(/^Platen is ready at (http:\/\/127\.0\.0\.1:\d+)$/m);
    environment = { PLATEN_HOME: home, PLATEN_URL: url, RECEIVER_PORT: String(receiver) };
  }, 90_000);
  afterAll(async () => {
    await program.end('SIGINT');
    folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  }, 60_000);

  /** Nothing goes wrong, in no command. */
  async function pasteWell(commands: string): Promise<Pasted> {
    const pasted = await paste(commands, environment);
    folders.push(pasted.folder);
    expect(pasted.errors.replace(TOLD_MEANWHILE, '')).toBe('');
    expect(pasted.output).not.toMatch(/"success": ?false/);
    return pasted;
  }

  it('walk through the API: estimate, three pictures made, shown and paid', async () => {
    const { output } = await pasteWell(walkThrough());
    const [estimate, job, credits] = documentsIn<[WorkflowEstimate, JobView, Balance]>(output);

    expect(eventsIn(output)[0]).toBe('snapshot');
    expect(eventsIn(output).at(-1)).toBe('job_completed');
    expect(job).toMatchObject({ status: 'completed', counts: { total: 3, completed: 3 } });

    const pictures = await Promise.all(addressesIn(output).map(download));
    expect(pictures.map(({ sha256 }) => sha256)).toEqual(
      job.generations.map(({ assets }) => assets[0]?.sha256),
    );
    expect(new Set(pictures.map(({ sha256 }) => sha256)).size).toBe(3);
    for (const picture of pictures) expect(picture).toMatchObject({ format: 'png', width: 1024, height: 1024 });

    const cost = estimate.cost_breakdown.total_credits;
    expect(cost).toBeGreaterThan(0);
    expect(job.cost).toEqual({ total: cost, held: 0, captured: cost, released: 0 });
    expect(credits).toMatchObject({ balance: GRANTED - cost, held: 0, available: GRANTED - cost });
  }, 60_000);

  it('your own sketch: drafts, editions with traits, an image in a sketch, the same bytes again', async () => {
    const { output, folder } = await pasteWell(guide('your-own-sketch'));
    expect(await sharp(join(folder, 'draft.png')).metadata()).toMatchObject({ format: 'png', width: 512 });
    expect(output).toMatch(/trait_type: 'Rings', value: \d/);
    expect(output.match(/^oo\w{49} (teal|coral|plum) \d$/gm)).toHaveLength(3);
    expect(output).toMatch(/^completed$/m);
    expect(output).toMatch(/^the same bytes$/m);
  }, 60_000);

  it('pipelines: a text, a script and a sketch in one, prices by script, more editions', async () => {
    const { output } = await pasteWell(guide('pipelines'));
    const [generations] = documentsIn<[{ items: GenerationView[] }]>(output);
    expect(generations.items).toHaveLength(2);
    for (const { status, steps, traits } of generations.items) {
      expect(status).toBe('completed');
      expect(steps[0]?.output).toMatch(/^SALT at (dawn|noon|night)$/);
      expect(traits).toContainEqual({ trait_type: 'ink', value: expect.stringMatching(/^(Navy|Red)$/) });
    }
    expect(output).toMatch(/^1\n16\ncompleted$/m);
  }, 60_000);

  it('collections: published, listed, hidden, changed, remixed, deleted', async () => {
    const { output } = await pasteWell(guide('collections'));
    expect(output).toMatch(/^published\nTides\ntrue\nfalse\n/);
    expect(output).toMatch(/is_current: false/);
    expect(output).toMatch(/^true\n[0-9a-f-]{36}\n\{"success":true,"data":null,"error":null\}$/m);
  }, 60_000);

  it('workflows in git: listed, written, changed, stored, tried', async () => {
    const { output, folder } = await pasteWell(guide('workflows-in-git'));
    expect(output).toMatch(/^inked-word +pipeline +/m);
    expect(readdirSync(join(folder, 'again'))).toEqual(readdirSync(join(folder, 'my-poster')));
    expect(output).toMatch(/^my-poster +1 +created$/m);
    expect(output).toMatch(/^Cost: 0\.131072 credits\.$/m);
    const [path] = /^\/files\/\S+$/m.exec(output) ?? [];
    expect(await download(`${environment['PLATEN_URL']}${path}`)).toMatchObject({ format: 'png', width: 512, height: 512 });
  }, 60_000);

  it('events: streams from the start and from the middle, history, waiting, a repeated call', async () => {
    const { output } = await pasteWell(guide('events'));
    const events = eventsIn(output);
    expect(events.filter((type) => type === 'snapshot')).toHaveLength(1);
    expect(events.filter((type) => type === 'job_completed')).toHaveLength(2);
    expect(output).toMatch(/^1 job_queued$/m);
    expect(output).toMatch(/^\d+ job_completed$/m);
    const [first, second] = output.trim().split('\n').slice(-2);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).toBe(first);
  }, 60_000);

  it('webhooks: two events told and verified, a secret replaced, one told again', async () => {
    const { output } = await pasteWell(guide('webhooks'));
    const told = output.match(/^(told|again): \w+ of order-4711$/gm);
    expect(told?.slice(0, 2).toSorted()).toEqual(['told: image_generated of order-4711', 'told: job_completed of order-4711']);
    expect(told?.slice(2)).toEqual(['again: image_generated of order-4711']);
    expect(output).toMatch(/^pending$/m);
  }, 60_000);

  it('plans and credits: a price, what is held and paid, a grant, a plan, the books', async () => {
    const { output } = await pasteWell(guide('plans-and-credits'));
    expect(output).toMatch(/^0 held of /m);
    expect(output.match(/^(hold|capture) 0\.(25|5)$/gm)?.toSorted()).toEqual([
      'capture 0.25', 'capture 0.25', 'capture 0.5', 'hold 0.25', 'hold 0.25', 'hold 0.5',
    ]);
    expect(output).toContain('"plan":"pro"');
    expect(output).toContain('"drift":[]');
  }, 60_000);

  it('provenance: what made a file, and the same bytes again', async () => {
    const { output } = await pasteWell(guide('provenance'));
    expect(output).toContain('"input_digest": "');
    expect(output).toContain('"equal": true');
  }, 60_000);

  it('token metadata: of each edition, of the contract, in a zip; what a thousand hashes would give', async () => {
    const { output, folder } = await pasteWell(guide('token-metadata'));
    expect(output).toContain("name: 'Tokens #1'");
    expect(output).toContain('"name":"Tokens"');
    expect(output).toMatch(/^1000$/m);
    expect(readFileSync(join(folder, 'tokens.zip')).subarray(0, 2).toString()).toBe('PK');
  }, 60_000);

  it('variables: out as a sheet, changed, and in again', async () => {
    const { output } = await pasteWell(guide('variables'));
    expect(output).toMatch(/"noon"/);
  }, 60_000);

  it('running it: health and keys', async () => {
    const { output } = await pasteWell(guide('running-it'));
    expect(output).toContain('"status":"ready","degraded":[]');
    expect(output).toMatch(/^plt_/m);
  }, 60_000);

  it('queue operations: what waits, a lane paused, everything drained, all lifted again', async () => {
    const { output } = await pasteWell(guide('queue-operations'));
    expect(output).toMatch(/^Nothing is paused\.$/m);
    expect(output).toMatch(/^lane provider +pause +0 +0 .* the provider is down$/m);
    expect(output).toMatch(/^Everything stands still\.$[^]*^Everything goes on\.$[^]*^lane provider goes on\.$/m);
    expect(output).toMatch(/^jobs +ever +0$/m);
  }, 60_000);

  it('the doctor: all is well', async () => {
    const { output, folder } = await pasteWell(guide('doctor'));
    expect(output).toMatch(/^✓ Chromium +Chromium \S+ starts/m);
    expect(JSON.parse(readFileSync(join(folder, 'doctor.json'), 'utf8'))).toMatchObject({ sound: true });
  }, 60_000);

  it('security: a secret, a closed door, a job that strangers do not see', async () => {
    const pasted = await paste(guide('security'), environment);
    folders.push(pasted.folder);
    expect(pasted.output).toMatch(/^[\w+/]{32}\n401\n/m);
    expect(pasted.output).toContain('JOB_NOT_FOUND');
  }, 60_000);

  it('Your own API: a secret, a workflow that needs it, and a list of options', async () => {
    const { output } = await pasteWell(guide('your-own-api'));
    expect(output).toContain('"name":"BFL_API_KEY"');
    expect(output).toMatch(/^my-flux +1 +created$/m);
    expect(output).toContain('"297x420"');
    expect(output).not.toContain('your key');
  });

  it('the command line: pictures, words, a job watched, credits, completion', async () => {
    const { output, folder } = await pasteWell(guide('command-line'));
    expect(readdirSync(join(folder, 'pictures')).filter((name) => /^edition-[12]-oo\w{6}\.png$/.test(name))).toHaveLength(3);
    expect(readdirSync(join(folder, 'words'))).toHaveLength(1);
    expect(readdirSync(join(folder, 'later'))).toHaveLength(1);
    expect(output).toMatch(/^2 of 2 editions, \d(\.\d+)? credits\.$/m);
    expect(output).toMatch(/^completed\n\d+ jobs$/m);
    expect(output).toMatch(/^time +what +amount .*\n.* capture +/m);
  }, 60_000);

  it('the client: its package, and the program that uses it', async () => {
    const example = [
      `mkdir -p node_modules/@platen && ln -s ${join(ROOT, 'dist/client')} node_modules/@platen/client`,
      'cp examples/client/collection.mjs . && PLATEN_URL=$URL PLATEN_TOKEN=$TOKEN node collection.mjs tidal-garden 2 made',
    ];
    const { output, folder } = await pasteWell([guide('client'), ...example].join('\n'));
    expect(output.match(/^edition [12] is finished$/gm)).toHaveLength(2);
    expect(output).toMatch(/^The job is completed and cost \d(\.\d+)? credits\. The images are in made\.$/m);
    expect(readdirSync(join(folder, 'made')).sort()).toEqual(['1.png', '2.png']);
  }, 60_000);

  it.each(readdirSync(GUIDES))('every file that %s links to is there', (name) => {
    const links = [...readFileSync(join(GUIDES, name), 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)];
    const own = links.map(([, link = '']) => link).filter((link) => !link.startsWith('https://'));
    const missing = own.filter((link) => !existsSync(join(GUIDES, link)));
    expect(missing).toEqual([]);
  });
});

/** `data` of every answer that was printed over several lines, in order. */
const documentsIn = <Documents extends unknown[]>(output: string): Documents =>
  [...output.matchAll(/^\{\n {2}"success"[\s\S]*?^\}$/gm)].map(([text]) => JSON.parse(text).data) as Documents;

const eventsIn = (output: string): string[] =>
  [...output.matchAll(/^event: (\w+)$/gm)].map(([, type = '']) => type);

const addressesIn = (output: string): string[] => output.match(/^http:\S+\/files\/\S+$/gm) ?? [];

async function download(address: string) {
  const bytes = Buffer.from(await (await fetch(address)).arrayBuffer());
  const { format, width, height } = await sharp(bytes).metadata();
  return { sha256: createHash('sha256').update(bytes).digest('hex'), format, width, height };
}
