import sharp from 'sharp';
import { appendFile, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, JsonObject, Step } from '#libs/instruction-set/instruction-set.js';
import type { Provenance } from '#libs/provenance/provenance.js';
import type { RerenderView } from '#libs/provenance/rerender-verdict.js';
import { ImageFaces } from '../../../test/factories/image-faces.js';
import { createWorkflow } from '../../../test/factories/workflow.js';
import { testCache } from '../../../test/factories/sketch-run.js';

jest.setTimeout(60_000);

const PAINTED = `function setup() {
  createCanvas(32, 32);
  background(random(255), variables.blue, fxrand() * 255);
  $fx.features({ Blue: variables.blue });
  noLoop();
}`;
const SKETCH = { id: 'a', alias: 'art', nodeName: 'p5', nodePayload: { code: PAINTED, width: 32, height: 32 } };
/** A script that makes a file of a text. */
const bytesOf = (text: string) => `return Uint8Array.from([...String(${text})].map((one) => one.charCodeAt(0)))`;
const NUMBERED = { id: 'n', nodeName: 'javascript', nodePayload: {
  code: bytesOf('`${generation_index} ${hash} ${random()} ${inputs.word}`'),
  inputs: { word: '{{word}}' },
} };
const MODEL = { id: 'm', nodeName: 'replicate', nodePayload: { model: 'owner/name', input: { prompt: 'a cat' } } };

describe('how a file was made, and making it again', () => {
  let faces: ImageFaces;
  let userId: string;

  beforeAll(async () => {
    faces = await ImageFaces.start({ WORKER_LANES: 'provider,default,chromium', NODE_PRICES: '{"p5": 0.5}' });
    await mkdir(testCache, { recursive: true });
    // One browser unpacked for all tests.
    await symlink(testCache, join(faces.api.home, 'chromium'));
  });
  afterAll(async () => {
    await rm(join(faces.api.home, 'chromium'), { force: true });
    await faces.close();
  });
  beforeEach(async () => {
    userId = await faces.user();
  });

  /** Makes a collection of this set and gives its finished job's generations. */
  async function made(set: { steps: object[]; variables?: Json }, generations = 1, metadata: object = {}) {
    const draft = await faces.call(userId, 'POST /projects/collections', { title: 'Dunes', data: { variables: {}, ...set }, ...metadata });
    const { id } = draft.json.data as { id: string };
    const submitted = await faces.call(userId, `POST /collections/${id}/generations`, { generations });
    const { job_id } = submitted.json.data as { job_id: string };
    const job = await faces.becomes(userId, `/jobs/${job_id}`, 'completed', 40_000);
    return {
      collectionId: id, jobId: job_id,
      assets: (job['generations'] as Array<{ assets: Array<{ id: string; sha256: string; url: string }> }>).map(({ assets }) => assets[0]!),
    };
  }
  const provenanceOf = async (assetId: string, asker = userId) => {
    const { json } = await faces.call(asker, `GET /assets/${assetId}/provenance`);
    return json.data as unknown as Provenance;
  };
  const rerender = (assetId: string, headers: Record<string, string> = {}, asker = userId) =>
    faces.call(asker, `POST /assets/${assetId}/rerender`, undefined, { prefer: 'wait=40', ...headers });
  const verdictOf = ({ json }: Awaited<ReturnType<typeof rerender>>) => json.data as unknown as RerenderView;
  const fileOf = async (assetId: string) => {
    const [row] = await faces.api.database.query<{ storage_key: string }>('select storage_key from flat_file where id = $1', [assetId]);
    return join(faces.api.home, 'storage', row!.storage_key);
  };

  describe('of an edition of a sketch', () => {
    let edition: Awaited<ReturnType<typeof made>>;

    beforeEach(async () => {
      edition = await made({ steps: [SKETCH], variables: [{ name: 'blue', type: 'pick', value_type: 'numbers', value: { values: [10, 200] } }] });
    });

    it('is told whole to its owner, and comes out with equal bytes at the price of the edition', async () => {
      const { id, sha256 } = edition.assets[0]!;
      const told = await provenanceOf(id);
      expect(told).toMatchObject({
        asset_id: id, sha256, origin: 'generated', collection: { id: edition.collectionId, title: 'Dunes' },
        job: { id: edition.jobId, job_type: 'collection_generation' }, workflow: null, release: expect.stringMatching(/^\d+\.\d+\.\d+/),
        generation: { index: 0, hash: expect.stringMatching(/^oo/), completed_at: expect.any(String) },
        variables: [{ name: 'blue' }], values: { blue: expect.any(Number) }, rerender: { possible: true, obstacles: [] },
        traits: expect.arrayContaining([{ trait_type: 'Blue', value: expect.any(Number) }]),
        steps: [{
          alias: 'art', node: 'p5', workflow: null, payload: { code: PAINTED }, depends_on: [], repeatable: true, attempt: expect.any(Number),
          input_digest: expect.stringMatching(/^[0-9a-f]{64}$/), completed_at: expect.any(String),
          made_with: { p5: expect.stringMatching(/^1\./), chromium: expect.any(String) },
        }],
      });
      const before = await faces.account(userId);
      const answer = await rerender(id);
      expect(answer.status).toBe(202);
      const verdict = verdictOf(answer);
      expect(verdict).toMatchObject({
        asset_id: id, status: 'completed', equal: true, sha256, stored: { sha256, intact: true },
        rerendered: { sha256, mime_type: 'image/png', width: 32, height: 32 }, cost_breakdown: { total_credits: 0.5 },
      });
      expect(verdict.rerendered!.id).not.toBe(id);
      expect((await faces.account(userId)).balance).toBe(before.balance - 0.5);
      const later = await faces.call(userId, `GET ${verdict.urls.rerender_url}`);
      expect(later.json.data).toMatchObject({ equal: true, job_id: verdict.job_id, stored: verdict.stored });
      expect(await provenanceOf(verdict.rerendered!.id)).toMatchObject({ rerender_of: id, collection: null });
      const collection = await faces.call(userId, `GET /collections/${edition.collectionId}`);
      expect((collection.json.data as { images: string[] }).images).toHaveLength(1);
    });

    it('is found changed where the stored bytes were tampered with, or are gone', async () => {
      const { id, sha256 } = edition.assets[0]!;
      await appendFile(await fileOf(id), 'x');
      expect(verdictOf(await rerender(id))).toMatchObject({
        equal: false, sha256, stored: { intact: false }, rerendered: { sha256 },
      });
      await rm(await fileOf(id));
      expect(verdictOf(await rerender(id))).toMatchObject({ equal: false, stored: null, rerendered: { sha256 } });
    });

    it('is told to strangers as the public view tells it, and can be made again by nobody else', async () => {
      const { id } = edition.assets[0]!;
      const stranger = await faces.user();
      expect((await faces.call(stranger, `GET /assets/${id}/provenance`)).status).toBe(404);
      await faces.call(userId, `POST /collections/${edition.collectionId}/publish`);
      const hidden = { job: null, generation: null, variables: null, values: null, steps: null, rerender: null, release: null };
      expect(await provenanceOf(id, stranger)).toMatchObject({ ...hidden, traits: expect.any(Array), collection: { title: 'Dunes' } });
      expect((await rerender(id, {}, stranger)).status).toBe(404);
      await faces.api.database.query('update collection set remixable = true where id = $1', [edition.collectionId]);
      const open = await provenanceOf(id, stranger);
      expect(open).toMatchObject({ ...hidden, variables: [{ name: 'blue' }], steps: [{ node: 'p5', made_with: {}, input_digest: null }] });
      const { json } = await faces.call(stranger, `GET /assets/${id}`);
      expect((json.data as { gen_out_data: JsonObject }).gen_out_data).not.toHaveProperty('made');
    });

    it('is made again once for one key', async () => {
      const { id } = edition.assets[0]!;
      const answers = [await rerender(id, { 'idempotency-key': 'k' }), await rerender(id, { 'idempotency-key': 'k' })];
      expect(new Set(answers.map((answer) => verdictOf(answer).job_id)).size).toBe(1);
      expect(answers[1]!.headers.get('idempotency-replayed')).toBe('true');
    });
  });

  it('gives a script the place and the hash that it had', async () => {
    const { assets } = await made({ steps: [NUMBERED], variables: { word: 'sand' } }, 3);
    expect(verdictOf(await rerender(assets[2]!.id))).toMatchObject({ equal: true });
  });

  it('names the files a step was given, with their digests', async () => {
    const { assets } = await made({ steps: [SKETCH, {
      id: 'b', nodeName: 'javascript', nodePayload: { code: bytesOf('inputs.art.sha256'), inputs: { art: { $ref: 'a' } } },
    }], variables: { blue: 1 } });
    const { steps } = await provenanceOf(assets[0]!.id);
    expect(steps).toMatchObject([{ node: 'p5', inputs: [] }, {
      node: 'javascript', depends_on: [steps![0]!.step_id],
      inputs: [{ name: 'sketch.png', mime_type: 'image/png', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    }]);
    expect(verdictOf(await rerender(assets[0]!.id))).toMatchObject({ equal: true });
  });

  it('names the image that a variable gave to the step', async () => {
    const form = new FormData();
    const png = await sharp({ create: { width: 4, height: 3, channels: 3, background: 'teal' } }).png().toBuffer();
    form.set('file', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'mood.png');
    const { id } = (await faces.call(userId, 'POST /assets', form)).json.data as { id: string };
    const { assets } = await made({
      steps: [{ id: 'a', nodeName: 'javascript', nodePayload: {
        code: bytesOf('`${inputs.mood.width} ${inputs.note}`'), inputs: { mood: '{{mood}}', note: 'of {{mood}}' },
      } }],
      variables: [{ name: 'mood', type: 'pick', value_type: 'images', value: { values: [id], display_names: ['Mood'] } }],
    });
    expect(await provenanceOf(assets[0]!.id)).toMatchObject({
      steps: [{ inputs: [{ asset_id: id, mime_type: 'image/png' }] }], values: { mood: id },
      traits: [{ trait_type: 'mood', value: 'Mood' }],
    });
    const file = await fetch(new URL(assets[0]!.url, faces.api.url));
    expect(await file.text()).toBe(`4 of ${id}`);
  });

  it('keeps sealed what it knows of an encrypted one, which is not made again in the clear', async () => {
    const { assets } = await made({ steps: [SKETCH], variables: { blue: 1 } }, 1, { encryption_enabled: true });
    const { id } = assets[0]!;
    const [row] = await faces.api.database.query<{ made: object }>(
      `select gen_out_data -> 'made' as made from flat_file where id = $1`, [id],
    );
    expect(Object.keys(row!.made)).toEqual(['$enc']);
    expect(await provenanceOf(id)).toMatchObject({
      values: { blue: 1 }, steps: [{ node: 'p5', made_with: { p5: expect.any(String) } }],
      rerender: { possible: false, obstacles: [{ message: expect.stringContaining('encrypted') }] },
    });
    expect((await rerender(id)).json).toMatchObject({ code: 'NOT_REPEATABLE' });
  });

  it('refuses before any charge what somebody outside has made, and says which step it was', async () => {
    const { assets } = await made({ steps: [MODEL] });
    const { steps, rerender: again } = await provenanceOf(assets[0]!.id);
    expect(steps).toMatchObject([{ repeatable: false, made_with: { provider: 'replicate', model: 'owner/name', prediction: expect.any(String) } }]);
    expect(again).toMatchObject({ possible: false, obstacles: [{ node: 'replicate' }] });
    const before = await faces.account(userId);
    expect((await rerender(assets[0]!.id)).json).toMatchObject({ code: 'NOT_REPEATABLE', details: [{ node: 'replicate' }] });
    expect(await faces.account(userId)).toEqual(before);
  });

  it('does not ask somebody outside again for what came before, or was apart', async () => {
    const bytes = { id: 'b', nodeName: 'javascript', nodePayload: {
      code: bytesOf('hash + inputs.picture.sha256'), inputs: { picture: { $ref: 'm' } },
    } };
    const { assets } = await made({ steps: [MODEL, bytes] });
    expect((await rerender(assets[0]!.id)).json).toMatchObject({ code: 'NOT_REPEATABLE', details: [{ node: 'replicate' }] });
    const pipeline = { steps: [MODEL, bytes, { ...MODEL, id: 'z' }] as Step[] };
    const workflow = await createWorkflow(faces.api.database, userId, { type: 'pipeline', data: { pipeline } });
    const kept = { title: 'Kept', workflow_id: workflow.id, options: { save_intermediate_outputs: true } };
    const { job_id } = (await faces.call(userId, 'POST /api/collections/generate', kept)).json.data as { job_id: string };
    await faces.becomes(userId, `/jobs/${job_id}`, 'completed', 40_000);
    const [file] = await faces.api.database.query<{ id: string }>(
      "select id from flat_file where job_id = $1 and shown and mime_type like 'text/%'", [job_id],
    );
    const asked = () => faces.replicate.count(/^POST .*predictions/);
    const before = asked();
    expect(verdictOf(await rerender(file!.id))).toMatchObject({ equal: true, status: 'completed' });
    expect(asked()).toBe(before);
  });
});
