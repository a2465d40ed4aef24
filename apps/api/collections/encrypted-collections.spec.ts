import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AssetView } from '#libs/assets/asset-view.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { CollectionCalls } from '../../../test/factories/collection-calls.js';
import { ImageFaces, someKey, type Told } from '../../../test/factories/image-faces.js';
import { storedTexts } from '../../../test/factories/stored-texts.js';
import { startTestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';
import { WebhookReceiver } from '../../../test/setup/webhook-receiver.js';

/** In all that must not be found. */
const CANARY = 'canary7f3e';
const words = (name: string) => `${CANARY} ${name}`;

const VARIABLES = [
  { name: `${CANARY}_subject`, type: 'fixed', value_type: 'strings', value: { values: [words('value')] } },
  { name: `${CANARY}_mood`, type: 'pick', value_type: 'strings', value: { values: [words('trait')] } },
];
const STEPS = [
  {
    id: 'plan', nodeName: 'javascript', alias: `${CANARY}_alias`,
    nodePayload: { code: `console.log('${words('log')}'); return { told: '${words('output')}'.toUpperCase() };` },
  },
  { id: 'line', nodeName: 'prompt', nodePayload: { template: `${words('prompt')} {{${CANARY}_subject}} {{$ref:plan}}` } },
  { id: 'art', nodeName: 'replicate', nodePayload: { model: 'owner/name', input: { prompt: { $ref: 'line' } } } },
];
const FAILING = [{ id: 'bad', nodeName: 'javascript', nodePayload: { code: `throw new Error('${words('failure')}')` } }];

interface Made {
  id: string;
  jobId: string;
  image: AssetView;
}

describe('an encrypted collection', () => {
  let faces: ImageFaces;
  let receiver: WebhookReceiver;
  let owner: string;
  const stranger = randomUUID();
  let made: Made;

  const ask = async (route: string, body?: object, who = owner, headers = {}): Promise<Told> =>
    faces.call(who, route, body, headers);
  const read = async (path: string, who = owner): Promise<JsonObject> => (await ask(`GET ${path}`, undefined, who)).json.data;
  const text = async (path: string, who = owner) => (await ask(`GET ${path}`, undefined, who)).text;
  const create = async (body: object) => {
    const { status, json } = await ask('POST /projects/collections', { title: 'Hidden', encryption_enabled: true, ...body });
    expect([status, json.details]).toEqual([201, undefined]);
    return json.data as { id: string; project_id: string; encryption_enabled: boolean };
  };
  const generate = async (id: string, status = 'completed') => {
    const webhook = { webhook_url: receiver.url, webhook_events: ['node_completed', 'node_failed', 'image_generated'] };
    const { json } = await ask(`POST /collections/${id}/generations`, webhook);
    await faces.becomes(owner, `/jobs/${String(json.data['job_id'])}`, status);
    return String(json.data['job_id']);
  };
  const bytesOf = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const storedFiles = async () => {
    const folder = join(faces.api.home, 'storage');
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    return Promise.all(names.filter((each) => each.isFile()).map((each) => readFile(join(each.parentPath, each.name))));
  };
  const foundInDatabase = async () =>
    (await storedTexts(faces.api.database)).filter(({ text: held }) => held.toLowerCase().includes(CANARY));

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    faces = await ImageFaces.start({ ALLOWED_HOSTS: receiver.host, CDN_BASE_URL: 'https://cdn.example' });
    owner = await faces.user();
    const data = { steps: STEPS, variables: VARIABLES };
    const { id, project_id: projectId } = await create({ data, remixable: true });
    const changed = { data: { ...data, steps: [...STEPS] } };
    expect((await ask(`PUT /projects/${projectId}/collections/${id}`, changed)).status).toBe(200);
    const jobId = await generate(id);
    const job = await read(`/jobs/${jobId}/generations`) as unknown as { items: Array<{ assets: AssetView[] }> };
    made = { id, jobId, image: job.items[0]!.assets[0]! };
  }, 40_000);
  afterAll(async () => {
    await faces.close();
    receiver.close();
  });

  it('is told to its owner in all its parts', async () => {
    const { id, jobId, image } = made;
    const set = JSON.stringify(await read(`/collections/${id}`));
    for (const part of ['value', 'trait', 'log', 'prompt']) expect(set).toContain(words(part));
    const [generation] = (await read(`/jobs/${jobId}/generations`))['items'] as JsonObject[];
    expect(generation).toMatchObject({
      traits: [{ trait_type: `${CANARY}_mood`, value: words('trait') }],
      steps: [
        { alias: `${CANARY}_alias`, logs: [words('log')], output: { told: words('output').toUpperCase() } },
        { output: expect.stringContaining(words('prompt')) }, { status: 'completed' },
      ],
    });
    expect(await text(`/jobs/${jobId}/history`)).toMatch(new RegExp(`"alias":"${CANARY}_alias".*${words('prompt')}.*${image.sha256}`));
    const asset = await read(`/assets/${image.id}`);
    expect(JSON.stringify(asset['gen_in_data'])).toContain(words('prompt'));
    expect(asset['gen_out_data']).toMatchObject({
      variables: { [`${CANARY}_subject`]: words('value') }, traits: [{ value: words('trait') }],
    });
    expect(await text(`/assets/${image.id}/provenance`)).toContain(words('prompt'));
    expect(await text(`/collections/${id}/history`)).toContain(words('prompt'));
    const distribution = await ask(`POST /collections/${id}/distribution`, { hashes: 10 });
    expect(distribution.text).toContain(words('trait'));
    await eventually(() => {
      const sent = receiver.received.map(({ body }) => String(body)).join('\n');
      for (const part of [words('prompt'), image.sha256]) expect(sent).toContain(part);
    });
  });

  it('lies in no table and no file as it is', async () => {
    expect(await foundInDatabase()).toEqual([]);
    const { bytes } = await bytesOf(made.image.url);
    let thumbnail: unknown;
    await eventually(async () => {
      ({ thumbnail_url: thumbnail } = await read(`/assets/${made.image.id}`));
      expect(thumbnail).not.toBeNull();
    }, 15_000);
    expect((await bytesOf(String(thumbnail))).bytes.subarray(8, 12).toString()).toBe('WEBP');
    const files = await storedFiles();
    expect(files.length).toBeGreaterThan(1);
    for (const stored of files) {
      expect(stored.subarray(0, 16).toString('latin1')).not.toMatch(/PNG|WEBP|JFIF/);
      for (let place = 0; place + 16 <= bytes.length; place += 64) {
        expect(stored.includes(bytes.subarray(place, place + 16))).toBe(false);
      }
    }
  });

  it('gives its files by the API alone, whole and in part', async () => {
    const { image } = made;
    const whole = await bytesOf(image.url);
    expect([whole.status, whole.bytes.length, whole.bytes.subarray(1, 4).toString()]).toEqual([200, image.size, 'PNG']);
    const part = await bytesOf(image.url, { range: 'bytes=5-20' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 5-20/${image.size}`]);
    expect(part.bytes).toEqual(whole.bytes.subarray(5, 21));
    expect(image.url).toContain(`${faces.api.url}/files/encrypted/${made.id}/`);
  });

  it('is unknown to strangers', async () => {
    const { id, jobId, image } = made;
    const paths = [
      `/collections/${id}`, `/collections/${id}/public`, `/collections/${id}/metadata`, `/collections/${id}/history`,
      `/jobs/${jobId}`, `/jobs/${jobId}/generations`, `/assets/${image.id}`, new URL(image.url).pathname,
    ];
    for (const path of paths) expect([path, (await ask(`GET ${path}`, undefined, stranger)).status]).toEqual([path, 404]);
    expect((await bytesOf(image.url.split('?')[0]!)).status).toBe(404);
  });

  it('tells its owner why a step failed, and nobody else', async () => {
    const { id } = await create({ data: { steps: FAILING } });
    const jobId = await generate(id, 'failed');
    for (const path of [`/jobs/${jobId}`, `/jobs/${jobId}/generations`, `/jobs/${jobId}/history`]) {
      expect(await text(path)).toContain(words('failure'));
    }
    await eventually(() => expect(receiver.received.map(({ body }) => String(body)).join()).toContain(words('failure')));
    expect(await foundInDatabase()).toEqual([]);
  });

  it('keeps variables sealed that are changed by themselves', async () => {
    const { id } = await create({ data: { variables: VARIABLES } });
    const variables = [{ ...VARIABLES[0], value: { values: [words('changed')] } }];
    expect((await ask(`PUT /collections/${id}/variables`, { variables })).status).toBe(200);
    expect(await text(`/collections/${id}/variables`)).toContain(words('changed'));
    const sheet = await fetch(`${faces.api.url}/collections/${id}/variables?format=csv`, { headers: faces.api.as(owner) });
    expect(await sheet.text()).toContain(words('changed'));
    expect(await text(`/collections/${id}/history`)).toContain(words('trait'));
    expect(await foundInDatabase()).toEqual([]);
  });

  it('keeps what is answered to a retry sealed', async () => {
    const [key, body] = [someKey(), { title: 'Twice', encryption_enabled: true, data: { steps: FAILING } }];
    const first = await ask('POST /projects/collections', body, owner, key);
    const again = await ask('POST /projects/collections', body, owner, key);
    expect(first.text).toContain(words('failure'));
    expect(again.text).toBe(first.text);
    expect(await foundInDatabase()).toEqual([]);
  });

  it('is made by the unified call as well, of a form’s values', async () => {
    const workflow = await ask('POST /workflows', {
      name: `w-${randomUUID()}`, type: 'pipeline', output_mime_type: 'application/json', visibility: 'private', tags: [],
      data: {
        form: { fields: [{ id: 'word', type: 'input', required: true }] }, credits: { base: 0, per_generation: 0 },
        pipeline: { steps: [{ id: 'a', nodeName: 'prompt', nodePayload: { template: '{{word}}' } }] },
      },
    });
    const { json } = await ask('POST /api/collections/generate', {
      title: 'Hidden', workflow_id: workflow.json.data['id'], variables: { word: words('form') }, generations: 2,
      metadata: { encryption_enabled: true },
    });
    await faces.becomes(owner, `/jobs/${String(json.data['job_id'])}`, 'completed');
    expect(await text(`/jobs/${String(json.data['job_id'])}/generations`)).toContain(words('form'));
    expect(await read(`/collections/${String(json.data['collection_id'])}`)).toMatchObject({
      encryption_enabled: true, data: { variables: { word: words('form') } },
    });
    expect(await foundInDatabase()).toEqual([]);
  });

  it('is encrypted for good, and so is a copy', async () => {
    const { id, image } = made;
    const { project_id: project } = await read(`/collections/${id}`);
    const change = await ask(`PUT /projects/${String(project)}/collections/${id}`, { encryption_enabled: false });
    expect(change.json).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'encryption_enabled' }] });
    expect((await ask(`PUT /projects/${String(project)}/collections/${id}`, { encryption_enabled: true, title: 'Same' })).status).toBe(200);
    const copies = [
      await ask(`POST /collections/${id}/remix`, {}), await ask(`POST /projects/collections?asset_id=${image.id}`, {}),
    ];
    for (const { json } of copies) expect(json.data).toMatchObject({ encryption_enabled: true, data: { steps: { length: 3 } } });
    expect(await foundInDatabase()).toEqual([]);
  });

  it('shows everyone its images and traits once it is published, and its set to nobody else', async () => {
    const { id, image } = made;
    expect((await ask(`POST /collections/${id}/publish`)).status).toBe(200);
    for (const who of [stranger, owner]) {
      const shown = await read(`/collections/${id}/public`, who);
      expect(shown).toMatchObject({
        remixable: true, images: [`${faces.api.url}${new URL(image.url).pathname}`], generations: 1,
        traits: [{ trait_type: `${CANARY}_mood`, value: words('trait'), count: 1 }],
      });
      expect(shown).not.toHaveProperty('data');
    }
    const provenance = await read(`/assets/${image.id}/provenance`, stranger);
    expect(provenance).toMatchObject({
      traits: [{ trait_type: `${CANARY}_mood`, value: words('trait') }], values: null, variables: null, steps: null,
    });
    expect(JSON.stringify(provenance)).not.toContain('$enc');
    const { url, gen_in_data, gen_out_data } = await read(`/assets/${image.id}`, stranger);
    expect([gen_in_data, gen_out_data]).toEqual([null, null]);
    expect((await bytesOf(String(url))).bytes.length).toBe(image.size);
    const metadata = await text(`/collections/${id}/metadata`, stranger);
    expect(metadata).toContain(words('trait'));
    expect(metadata).not.toContain(words('prompt'));
    expect((await ask(`POST /collections/${id}/remix`, {}, stranger)).status).toBe(404);
    expect((await ask(`POST /projects/collections?asset_id=${image.id}`, {}, stranger)).status).toBe(404);
    expect(await foundInDatabase()).toEqual([]);
  });

  it('refuses rows that were changed or moved, and tells when its key is not to be had', async () => {
    const [mine, other] = [await create({ data: { steps: FAILING } }), await create({ data: { steps: FAILING } })];
    await faces.api.database.query(
      'update collection c set data = o.data from collection o where c.id = $1 and o.id = $2', [mine.id, other.id],
    );
    expect((await ask(`GET /collections/${mine.id}`)).json).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect((await ask(`GET /collections/${other.id}`)).status).toBe(200);
    const { id } = await create({ data: { steps: FAILING } });
    await faces.api.database.query(`update collection set master_key = 'local:unknown' where id = $1`, [id]);
    expect((await ask(`GET /collections/${id}`)).json).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('leaves nothing readable behind when it is deleted', async () => {
    const { id } = await create({ data: { steps: STEPS.slice(0, 2), variables: VARIABLES } });
    const jobId = await generate(id);
    expect((await ask(`DELETE /collections/${id}`)).status).toBe(200);
    for (const path of [`/jobs/${jobId}`, `/jobs/${jobId}/generations`, `/jobs/${jobId}/history`]) {
      const { status, text: told } = await ask(`GET ${path}`);
      expect([status, told.includes(CANARY), told.includes('$enc')]).toEqual([200, false, false]);
    }
  });
});

describe('where no master key is', () => {
  it('a collection cannot be encrypted, and the field is named', async () => {
    const api = await startTestApi({ KEY_MANAGEMENT: 'none' });
    try {
      const calls = new CollectionCalls(api, randomUUID());
      const create = (body: object) => calls.ask('POST', '/projects/collections', body);
      expect(await create({ encryption_enabled: true })).toMatchObject({
        status: 400, code: 'VALIDATION_ERROR', details: [{ field: 'encryption_enabled' }],
      });
      expect((await create({ encryption_enabled: false })).status).toBe(201);
    } finally {
      await api.close();
    }
  });
});
